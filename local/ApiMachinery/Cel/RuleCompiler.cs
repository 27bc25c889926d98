using System.Globalization;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>
/// Compiles the rules of a schema and refuses those that could cost too much. Limits and wording are those of k8s.io/apiextensions-apiserver
/// <c>ValidateCustomResourceDefinitionOpenAPISchema</c>: 10 million a rule, 100 million a CRD, counted for as many objects as a request can hold.
/// </summary>
internal sealed class RuleCompiler(List<FieldError> errors)
{
    private const ulong RuleLimit = 10_000_000;
    private const ulong TotalLimit = 100_000_000;
    private const string Advice = " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

    private readonly SchemaCelTypes types = new();
    private readonly List<(string Path, ulong Cost)> expensive = [];
    private ulong total;

    public void CompileAll(SchemaNode root, string path)
    {
        Compile(root, path, isResource: true, cardinality: 1, correlatable: true);
        if (total <= TotalLimit) return;
        foreach (var (where, _) in expensive.OrderByDescending(e => e.Cost).Take(4))
            errors.Add(FieldError.Forbidden(where, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"));
        errors.Add(FieldError.Forbidden(path, Exceeds("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", total, TotalLimit)));
    }

    /// <param name="cardinality">How many values of this node an object can hold; null when the schema sets no bound.</param>
    private void Compile(SchemaNode node, string path, bool isResource, ulong? cardinality, bool correlatable)
    {
        if (!node.AnyRules) return;
        if (node.Rules.Count > 0) CompileRules(node, path, isResource, cardinality, correlatable);

        var below = node switch
        {
            { Type: "array" } => Times(cardinality, node.MaxItems),
            { Additional: not null } => Times(cardinality, node.MaxProperties),
            _ => cardinality,
        };
        var canCorrelate = correlatable && (node.Type != "array" || node.ListType == "map");
        foreach (var (segment, child) in node.Children()) Compile(child, path + segment, child.EmbeddedResource, below, canCorrelate);
    }

    private static ulong? Times(ulong? cardinality, long? max) => cardinality is { } c && max is { } m ? Cost.Multiply(c, (ulong)Math.Max(0, m)) : null;

    private void CompileRules(SchemaNode node, string path, bool isResource, ulong? cardinality, bool correlatable)
    {
        if (types.Of(node, isResource) is not { } self)
        {
            errors.Add(FieldError.Invalid(path + ".x-kubernetes-validations", FieldError.Omitted, "rules compiled per spec can not be declared on a schema of unknown content"));
            return;
        }

        var count = cardinality ?? (ulong)(SchemaCelTypes.MaxRequestBytes / (self.MinSerialized + 1));
        var compiled = new List<CompiledRule>();
        for (var i = 0; i < node.Rules.Count; i++)
        {
            if (CompileRule(node.Rules[i], $"{path}.x-kubernetes-validations[{i}]", self, count, correlatable) is { } rule) compiled.Add(rule);
        }

        node.Compiled = compiled;
    }

    private CompiledRule? CompileRule(RuleText text, string path, CelType self, ulong count, bool correlatable)
    {
        var variables = new Dictionary<string, CelType>(StringComparer.Ordinal)
        {
            ["self"] = self,
            ["oldSelf"] = text.OptionalOldSelf == true ? CelType.OptionalOf(self) : self,
        };
        if (Check(text.Rule, variables, CelType.Bool, "cel expression must evaluate to a bool", "", path + ".rule", text) is not { } rule) return null;
        Observe(path + ".rule", "estimated rule cost", Cost.Multiply(rule.Cost, count));
        if (rule.UsesOld && !correlatable)
        {
            errors.Add(FieldError.Invalid(path + ".rule", text.Rule, "oldSelf cannot be used on the uncorrelatable portion of the schema"));
            return null;
        }

        Expr? message = null;
        if (text.MessageExpression.Trim().Length > 0)
        {
            if (Check(text.MessageExpression, variables, CelType.String, "messageExpression must evaluate to a string", "messageExpression ", path + ".messageExpression", text) is not { } checkedMessage) return null;
            Observe(path + ".messageExpression", "estimated messageExpression cost", Cost.Multiply(checkedMessage.Cost, count));
            message = checkedMessage.Expr;
        }

        return new CompiledRule(text, rule.Expr, message, rule.UsesOld);
    }

    private (Expr Expr, ulong Cost, bool UsesOld)? Check(
        string source, Dictionary<string, CelType> variables, CelType wanted, string otherwise, string what, string path, RuleText text)
    {
        try
        {
            var expr = Parser.Parse(source);
            var checker = new Checker(source);
            var result = checker.Check(expr, variables);
            if (result.Type.Kind == wanted.Kind) return (expr, result.Cost, checker.Used.Contains("oldSelf"));
            errors.Add(FieldError.Invalid(path, text.ToJson(), otherwise));
        }
        catch (CelException e)
        {
            errors.Add(FieldError.Invalid(path, text.ToJson(), $"{what}compilation failed: {e.Message}"));
        }

        return null;
    }

    private void Observe(string path, string name, ulong cost)
    {
        if (cost > RuleLimit) errors.Add(FieldError.Forbidden(path, Exceeds(name, cost, RuleLimit)));
        total = Cost.Add(total, cost);
        if (cost >= TotalLimit / 100) expensive.Add((path, cost));
    }

    private static string Exceeds(string name, ulong cost, ulong limit)
    {
        var factor = (double)cost / limit;
        var text = factor > 100 ? "more than 100x"
            : factor.ToString(factor < 1.5 ? "F6" : "F1", CultureInfo.InvariantCulture) + "x";
        return $"{name} exceeds budget by factor of {text}{Advice}";
    }
}
