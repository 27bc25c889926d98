using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>Runs the rules of a schema over an object, within the budget a server gives one request.</summary>
internal sealed class RuleRunner(List<FieldError> errors)
{
    /// <summary>Steps for one rule, and for all rules of one object (k8s.io/apiserver <c>PerCallLimit</c>, <c>RuntimeCELCostBudget</c>).</summary>
    private const long RuleBudget = 1_000_000;

    private const long ObjectBudget = 10_000_000;
    private const int MaxMessage = 5 * 1024;

    private long left = ObjectBudget;

    public void Run(JsonObject obj, JsonObject? old, SchemaNode root) => Visit(obj, old, root, "");

    private void Visit(JsonNode? value, JsonNode? old, SchemaNode schema, string path)
    {
        if (!schema.AnyRules || left < 0) return;
        // A rule about a null belongs to the surrounding schema, as the real server has it.
        if (value is not null) RunRules(value, old, schema, path);
        switch (value)
        {
            case JsonObject obj:
                var oldObject = old as JsonObject;
                foreach (var (name, child) in obj)
                {
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is { AnyRules: true } type)
                        Visit(child, oldObject?[name], type, SchemaValidator.Join(path, name));
                }

                break;
            case JsonArray list when schema.Items is { AnyRules: true } items:
                var pairs = old is JsonArray oldList ? new ListCorrelation(oldList, schema) : null;
                for (var i = 0; i < list.Count; i++) Visit(list[i], pairs?.Find(list[i]), items, $"{path}[{i}]");
                break;
        }
    }

    private void RunRules(JsonNode value, JsonNode? old, SchemaNode schema, string path)
    {
        foreach (var rule in schema.Compiled)
        {
            if (rule.UsesOld && old is null && rule.Text.OptionalOldSelf != true) continue;
            // What was so before an update is not this update's fault; only rules about the change itself see it again.
            if (!rule.UsesOld && old is not null && JsonNode.DeepEquals(value, old)) continue;
            if (left < 0)
            {
                errors.Add(FieldError.Invalid(Place(path), FieldError.Omitted, "validation failed due to running out of cost budget, no further validation rules will be run"));
                return;
            }

            RunRule(rule, value, old, schema, path);
        }
    }

    private void RunRule(CompiledRule rule, JsonNode value, JsonNode? old, SchemaNode schema, string path)
    {
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal) { ["self"] = null };
        var label = rule.Text.Message.Length > 0 ? rule.Text.Message : rule.Text.Rule;
        try
        {
            variables["self"] = CelJson.ToCel(value, schema);
            if (rule.UsesOld || rule.MessageExpression is not null) variables["oldSelf"] = OldValue(rule, old, schema);
            if (Evaluate(rule.Rule, variables) is true) return;
        }
        catch (CelException e)
        {
            errors.Add(FieldError.Invalid(Place(path), FieldError.Omitted, e.IsBudget
                ? $"call cost exceeds limit for rule (\"{rule.Text.Rule}\"), no further validation rules will be run"
                : $"rule evaluation error: {e.Message} evaluating rule: {label}"));
            return;
        }

        var type = rule.Text.Reason switch
        {
            "FieldValueForbidden" => FieldErrorType.Forbidden,
            "FieldValueRequired" => FieldErrorType.Required,
            "FieldValueDuplicate" => FieldErrorType.Duplicate,
            _ => FieldErrorType.Invalid,
        };
        errors.Add(new FieldError(type, Place(path) is var place && rule.Text.FieldPath.Length > 0 ? At(path, rule.Text.FieldPath) : place, FieldError.Omitted, Message(rule, variables)));
    }

    private static object? OldValue(CompiledRule rule, JsonNode? old, SchemaNode schema)
    {
        if (rule.Text.OptionalOldSelf != true) return CelJson.ToCel(old, schema);
        return old is null ? CelOptional.None : new CelOptional(true, CelJson.ToCel(old, schema));
    }

    private object? Evaluate(Expr expr, IReadOnlyDictionary<string, object?> variables)
    {
        var given = Math.Min(RuleBudget, left);
        var evaluator = new Evaluator(given);
        try
        {
            return evaluator.Run(expr, variables);
        }
        finally
        {
            left -= given - evaluator.Left;
        }
    }

    private string Message(CompiledRule rule, IReadOnlyDictionary<string, object?> variables)
    {
        if (rule.MessageExpression is not null)
        {
            try
            {
                if (Evaluate(rule.MessageExpression, variables) is string text && text.Trim() is { Length: > 0 and <= MaxMessage } message && !message.Contains('\n', StringComparison.Ordinal)) return message;
            }
            catch (CelException)
            {
                // The plain message stands in, as it does in the real server.
            }
        }

        return rule.Text.Message.Length > 0 ? rule.Text.Message.Trim() : "failed rule: " + rule.Text.Rule.Trim();
    }

    private static string Place(string path) => path.Length == 0 ? "<nil>" : path;

    private static string At(string path, string fieldPath) =>
        path.Length == 0 ? fieldPath.TrimStart('.') : fieldPath[0] is '.' or '[' ? path + fieldPath : path + "." + fieldPath;
}
