using System.Globalization;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Checks values against a schema with the words of k8s.io/kube-openapi; values unchanged since the old object pass.</summary>
internal sealed class SchemaValidator(List<FieldError> errors)
{
    public void Validate(JsonNode? value, JsonNode? old, SchemaNode schema, string path)
    {
        if (old is not null && JsonNode.DeepEquals(value, old)) return;
        if (!CheckType(value, schema, path)) return;
        if (value is null) return;
        if (schema.Enum is { } allowed && !allowed.Any(a => JsonNode.DeepEquals(a, value)))
            errors.Add(FieldError.NotSupported(path, value, allowed.Select(a => JsonKinds.Text(a) ?? a?.ToJsonString(FieldError.Relaxed) ?? "null")));
        switch (value)
        {
            case JsonObject obj: CheckObject(obj, old as JsonObject, schema, path); break;
            case JsonArray list: CheckArray(list, old as JsonArray, schema, path); break;
            default: CheckScalar(value, schema, path); break;
        }

        CheckCombinations(value, schema, path);
    }

    private bool CheckType(JsonNode? value, SchemaNode schema, string path)
    {
        var actual = JsonKinds.Name(value);
        if (value is null)
        {
            if (schema.Nullable || (schema.Type.Length == 0 && !schema.IntOrString)) return true;
        }
        else if (schema.IntOrString)
        {
            if (actual is "integer" or "string") return true;
            Wrong("integer,string");
            return false;
        }

        if (schema.Type.Length == 0 && !schema.IntOrString) return true;
        var type = schema.IntOrString ? "integer,string" : schema.Type;
        if (type == actual || (type == "number" && actual == "integer")) return true;
        Wrong(type);
        return false;

        void Wrong(string expected) => errors.Add(new FieldError(FieldErrorType.TypeInvalid, path, actual,
            $"{path} in body must be of type {expected}: {FieldError.Quote(actual)}"));
    }

    private void CheckScalar(JsonNode value, SchemaNode schema, string path)
    {
        if (JsonKinds.Text(value) is { } text) CheckText(value, text, schema, path);
        else if (JsonKinds.TryNumber(value, out var number)) CheckNumber(value, number, schema, path);
    }

    private void CheckText(JsonNode value, string text, SchemaNode schema, string path)
    {
        if (schema.MaxLength is not null || schema.MinLength is not null)
        {
            long length = 0;
            foreach (var _ in text.EnumerateRunes()) length++;
            if (length < schema.MinLength) Invalid(path, value, $"{path} in body should be at least {schema.MinLength} chars long");
            if (length > schema.MaxLength) errors.Add(new FieldError(FieldErrorType.TooLong, path, value, $"may not be more than {schema.MaxLength} bytes"));
        }

        if (schema.PatternRegex is { } regex && !regex.IsMatch(text)) Invalid(path, value, $"{path} in body should match '{schema.Pattern}'");
        if (schema.Format.Length > 0 && !StringFormats.Matches(schema.Format, text))
            Invalid(path, value, $"{path} in body must be of type {schema.Format}: {FieldError.Quote(text)}");
    }

    private void CheckNumber(JsonNode value, double number, SchemaNode schema, string path)
    {
        if (schema.Format == "int32" && number is < int.MinValue or > int.MaxValue)
            Invalid(path, value, $"Checked value must be of type integer with format int32 in {path}");
        if (schema.Minimum is { } min && (schema.ExclusiveMinimum ? number <= min : number < min))
            Invalid(path, value, $"{path} in body should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{Show(min)}");
        if (schema.Maximum is { } max && (schema.ExclusiveMaximum ? number >= max : number > max))
            Invalid(path, value, $"{path} in body should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{Show(max)}");
        if (schema.MultipleOf is { } factor && factor > 0 && Math.Abs((number / factor) - Math.Round(number / factor)) > 1e-9)
            Invalid(path, value, $"{path} in body should be a multiple of {Show(factor)}");
    }

    private void CheckArray(JsonArray list, JsonArray? old, SchemaNode schema, string path)
    {
        if (list.Count < schema.MinItems) Invalid(path, list.Count, $"{path} in body should have at least {schema.MinItems} items");
        if (list.Count > schema.MaxItems) errors.Add(new FieldError(FieldErrorType.TooMany, path, list.Count, $"must have at most {schema.MaxItems} items"));
        if (schema.Items is not { } items) return;
        var pairs = old is null ? null : new ListCorrelation(old, schema);
        for (var i = 0; i < list.Count; i++) Validate(list[i], pairs?.Find(list[i]), items, $"{path}[{i}]");
    }

    private void CheckObject(JsonObject obj, JsonObject? old, SchemaNode schema, string path)
    {
        foreach (var name in schema.Required)
            if (!obj.ContainsKey(name)) errors.Add(FieldError.Required(Join(path, name)));
        if (obj.Count < schema.MinProperties) Invalid(path, obj.Count, $"{path} in body should have at least {schema.MinProperties} properties");
        if (obj.Count > schema.MaxProperties) errors.Add(new FieldError(FieldErrorType.TooMany, path, obj.Count, $"must have at most {schema.MaxProperties} items"));
        foreach (var (name, child) in schema.Properties)
            if (obj.TryGetPropertyValue(name, out var value)) Validate(value, old?[name], child, Join(path, name));
        if (schema.Additional is not { } additional) return;
        foreach (var (name, value) in obj)
            if (!schema.Properties.ContainsKey(name)) Validate(value, old?[name], additional, Join(path, name));
    }

    private void CheckCombinations(JsonNode value, SchemaNode schema, string path)
    {
        if (schema.AllOf.Any(s => !Passes(value, s, path)))
        {
            foreach (var branch in schema.AllOf) Validate(value, null, branch, path);
            Invalid(path, value, $"{FieldError.Quote(path)} must validate all the schemas (allOf)");
        }

        if (schema.AnyOf.Count > 0 && !schema.AnyOf.Any(s => Passes(value, s, path)))
            Invalid(path, value, $"{FieldError.Quote(path)} must validate at least one schema (anyOf)");
        if (schema.OneOf.Count > 0 && schema.OneOf.Count(s => Passes(value, s, path)) is var count and not 1)
            Invalid(path, value, $"{FieldError.Quote(path)} must validate one and only one schema (oneOf). {(count == 0 ? "Found none valid" : $"Found {count} valid alternatives")}");
        if (schema.Not is { } not && Passes(value, not, path))
            Invalid(path, value, $"{FieldError.Quote(path)} must not validate the schema (not)");
    }

    private static bool Passes(JsonNode value, SchemaNode schema, string path)
    {
        var found = new List<FieldError>();
        new SchemaValidator(found).Validate(value, null, schema, path);
        return found.Count == 0;
    }

    private void Invalid(string path, object value, string detail) => errors.Add(FieldError.Invalid(path, value, detail));

    internal static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;

    private static string Show(double value) => value.ToString(CultureInfo.InvariantCulture);
}
