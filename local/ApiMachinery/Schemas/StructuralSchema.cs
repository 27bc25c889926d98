using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery.Cel;

namespace Trestle.Local.ApiMachinery;

/// <summary>The schema of one version of a custom resource: pruning, defaulting, validation and merge types.</summary>
public sealed class StructuralSchema
{
    /// <summary>Where the server says the schema of a single-version CRD is.</summary>
    public const string DefaultPath = "spec.validation.openAPIV3Schema";

    private readonly SchemaNode root;

    private StructuralSchema(SchemaNode root)
    {
        this.root = root;
        Type = SchemaTypes.OfResource(root);
    }

    /// <summary>How the resource merges.</summary>
    public TypeSchema Type { get; }

    /// <summary>Reads and checks a CRD's <c>openAPIV3Schema</c>, compiling its rules.</summary>
    /// <exception cref="SchemaException">Not structural, a default that is invalid, a rule that does not compile or may cost too much.</exception>
    public static StructuralSchema FromCrd(JsonObject openAPIV3Schema, string path = DefaultPath)
    {
        var errors = new List<FieldError>();
        var schema = new SchemaReader(errors).ReadRoot(openAPIV3Schema, path);
        if (errors.Count == 0) CheckDefaults(schema, path, errors);
        if (errors.Count == 0) new RuleCompiler(errors).CompileAll(schema, path);
        return errors.Count > 0 ? throw new SchemaException(errors) : new StructuralSchema(schema);
    }

    /// <summary>Removes undeclared fields in place and returns their paths, as strict decoding names them.</summary>
    public IReadOnlyList<string> Prune(JsonObject obj) => Type.Prune(obj);

    /// <summary>Fills defaults in place; null fields that are not nullable are defaulted or dropped.</summary>
    public void ApplyDefaults(JsonObject obj) => Defaulting.Apply(obj, root);

    /// <summary>Checks an object; on an update, what did not change since <paramref name="old"/> is not reported.</summary>
    /// <param name="before">The caller's errors about metadata, which the server lists first.</param>
    /// <param name="after">The caller's errors that follow the schema's (the scale subresource). Both keep rules from running when they block.</param>
    public IReadOnlyList<FieldError> Validate(
        JsonObject obj, JsonObject? old = null, IEnumerable<FieldError>? before = null, IEnumerable<FieldError>? after = null)
    {
        var errors = new List<FieldError>(before ?? []);
        new SchemaValidator(errors).Validate(obj, old, root, "");
        errors.AddRange(after ?? []);
        var duplicates = new List<FieldError>();
        ListUniqueness.Check(obj, root, "", duplicates);
        if (old is not null && duplicates.Count > 0) DropKnown(duplicates, old);
        errors.AddRange(duplicates);
        if (!root.AnyRules) return errors;
        if (errors.Any(Blocks)) errors.Add(FieldError.RulesNotChecked);
        else new RuleRunner(errors).Run(obj, old, root);
        return errors;
    }

    private static bool Blocks(FieldError error) =>
        error.Type is FieldErrorType.NotSupported or FieldErrorType.Required or FieldErrorType.TooLong or FieldErrorType.TooMany or FieldErrorType.TypeInvalid;

    private void DropKnown(List<FieldError> duplicates, JsonObject old)
    {
        var known = new List<FieldError>();
        ListUniqueness.Check(old, root, "", known);
        duplicates.RemoveAll(d => known.Exists(k => k.Message == d.Message));
    }

    private static void CheckDefaults(SchemaNode node, string path, List<FieldError> errors)
    {
        if (node.HasDefault && node.Default is not null)
        {
            var found = new List<FieldError>();
            var filled = node.Default.DeepClone();
            Defaulting.Apply(filled, node);
            new SchemaValidator(found).Validate(filled, null, node, path + ".default");
            if (filled is JsonObject obj) found.AddRange(SchemaTypes.Of(node).Prune(obj).Select(p => FieldError.Invalid(path + ".default", p, "must not have unknown fields")));
            errors.AddRange(found);
        }

        foreach (var (segment, child) in node.Children()) CheckDefaults(child, path + segment, errors);
    }
}
