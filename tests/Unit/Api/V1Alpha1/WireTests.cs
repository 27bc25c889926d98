using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Trestle.Api.Crds;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.V1Alpha1;

public sealed class WireTests
{
    [Fact]
    public void Amounts_read_as_numbers_and_as_text()
    {
        var resources = JsonSerializer.Deserialize("""{"run":"a","resources":{"cpus":4,"memory":"64Gi","extended":{"rdma/hca":8,"x/y":"2"}}}""", TrestleJson.Default.TrainingJobSpec)!.Resources!;
        (resources.Cpus, resources.Memory, resources.Extended!["rdma/hca"], resources.Extended["x/y"]).ShouldBe(("4", "64Gi", "8", "2"));
        JsonSerializer.Serialize(new TrainingJobSpec { Run = "a", Resources = resources }, TrestleJson.Default.TrainingJobSpec)
            .ShouldContain("""{"cpus":"4","memory":"64Gi","extended":{"rdma/hca":"8","x/y":"2"}}""");
    }

    // The API server takes a number there; an operator that can't read one object reads none.
    [Fact]
    public void Whatever_the_schema_takes_as_a_number_or_text_is_read_as_both()
    {
        var seen = new HashSet<Type>();
        var amounts = CrdGenerator.Kinds.SelectMany(kind => Properties(kind, seen))
            .Where(property => Marked<QuantityTextAttribute>(property) || Marked<IntOrStringAttribute>(property)).ToArray();
        amounts.Length.ShouldBeGreaterThan(4);
        amounts.Where(property => property.CustomConverter is null).Select(property => $"{property.DeclaringType.Name}.{property.Name}").ShouldBeEmpty();
    }

    private static bool Marked<T>(JsonPropertyInfo property) where T : Attribute => property.AttributeProvider?.IsDefined(typeof(T), false) == true;

    private static IEnumerable<JsonPropertyInfo> Properties(Type type, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (!seen.Add(type) || TrestleJson.Default.GetTypeInfo(type) is not { } info)
        {
            return [];
        }

        return info.ElementType is { } element
            ? Properties(element, seen)
            : [.. info.Properties.SelectMany(property => Properties(property.PropertyType, seen).Prepend(property))];
    }
}
