using System.Runtime.CompilerServices;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>
/// Checks types against the schema and estimates the worst cost, in one walk. The cost model is cel-go's (<c>checker/cost.go</c>) with
/// Kubernetes' functions (<c>apiserver/pkg/cel/library/cost.go</c>): a step costs one, strings a tenth a character, loops their longest range.
/// </summary>
internal sealed class Checker(string source)
{
    private const int MaxErrors = 20;
    private readonly List<string> errors = [];
    private readonly HashSet<string> used = new(StringComparer.Ordinal);

    /// <summary>Names of the given variables the expression refers to.</summary>
    public IReadOnlySet<string> Used => used;

    /// <exception cref="CelException">All type errors, each with its place.</exception>
    public Typed Check(Expr expr, IReadOnlyDictionary<string, CelType> variables)
    {
        var scope = variables.Aggregate((Scope?)null, (outer, v) => new Scope(v.Key, v.Value, outer));
        Typed result;
        try
        {
            result = Visit(expr, scope);
        }
        catch (InsufficientExecutionStackException)
        {
            throw new CelException("the expression is nested too deep");
        }

        return errors.Count == 0 ? result : throw new CelException(string.Join('\n', errors));
    }

    private Typed Visit(Expr expr, Scope? scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (expr)
        {
            case Literal literal: return VisitLiteral(literal);
            case Ident ident: return VisitIdent(ident, scope);
            case Select select: return VisitSelect(select, scope);
            case Has has:
                var holder = Visit(has.Operand, scope);
                FieldType(has.At, holder.Type, has.Field);
                return new Typed(CelType.Bool, holder.Cost);
            case ElementAt index: return VisitIndex(index, scope);
            case Logic logic:
                var (left, right) = (Visit(logic.Left, scope), Visit(logic.Right, scope));
                if (!CelType.Bool.Accepts(left.Type) || !CelType.Bool.Accepts(right.Type)) NoOverload(logic.At, logic.IsAnd ? "_&&_" : "_||_", [left, right]);
                return new Typed(CelType.Bool, Cost.Add(left.Cost, right.Cost));
            case Conditional conditional: return VisitConditional(conditional, scope);
            case MakeList list: return VisitList(list, scope);
            case MakeMap map: return VisitMap(map, scope);
            case Macro macro: return VisitMacro(macro, scope);
            case Bind bind: return VisitBind(bind, scope);
            default: return VisitCall((Call)expr, scope);
        }
    }

    private static Typed VisitLiteral(Literal literal) => literal.Value switch
    {
        null => new Typed(CelType.Null, 0),
        bool => new Typed(CelType.Bool, 0),
        long => new Typed(CelType.Int, 0),
        ulong => new Typed(CelType.Uint, 0),
        double => new Typed(CelType.Double, 0),
        byte[] bytes => new Typed(CelType.Bytes, (ulong)bytes.Length, 0),
        var text => new Typed(CelType.String, (ulong)CelConversions.Length((string)text), 0),
    };

    private Typed VisitIdent(Ident ident, Scope? scope)
    {
        for (var s = scope; s is not null; s = s.Outer)
        {
            if (s.Name != ident.Name) continue;
            used.Add(ident.Name);
            return new Typed(s.Type, s.Size ?? s.Type.Size, 1);
        }

        if (ident.Name is "int" or "uint" or "double" or "string" or "bool" or "bytes" or "list" or "map" or "null_type") return new Typed(CelType.Type, 1);
        return Fail(ident.At, $"undeclared reference to '{ident.Name}' (in container '')");
    }

    private Typed VisitSelect(Select select, Scope? scope)
    {
        var operand = Visit(select.Operand, scope);
        var holder = operand.Type.Kind == CelKind.Optional ? operand.Type.Element ?? CelType.Dyn : operand.Type;
        var type = FieldType(select.At, holder, select.Field);
        if (select.Optional || operand.Type.Kind == CelKind.Optional) return new Typed(CelType.OptionalOf(type), Cost.Add(operand.Cost, 1));
        return new Typed(type, Cost.Add(operand.Cost, 1));
    }

    private CelType FieldType(int at, CelType holder, string field)
    {
        switch (holder.Kind)
        {
            case CelKind.Dyn: return CelType.Dyn;
            case CelKind.Map: return (holder.Element ?? CelType.Dyn).AsComputed;
            case CelKind.Object when holder.Fields!.TryGetValue(field, out var type): return type;
            case CelKind.Object:
                Fail(at, $"undefined field '{field}'");
                return CelType.Dyn;
            default:
                Fail(at, $"type '{holder.Name}' does not support field selection");
                return CelType.Dyn;
        }
    }

    private Typed VisitIndex(ElementAt index, Scope? scope)
    {
        var (operand, key) = (Visit(index.Operand, scope), Visit(index.Key, scope));
        var cost = Cost.Add(Cost.Add(operand.Cost, key.Cost), 1);
        var holder = operand.Type.Kind == CelKind.Optional ? operand.Type.Element ?? CelType.Dyn : operand.Type;
        var fits = holder.Kind switch
        {
            CelKind.Dyn => true,
            CelKind.List => CelType.Int.Accepts(key.Type) || key.Type.Kind is CelKind.Uint or CelKind.Double,
            CelKind.Map => true,
            _ => false,
        };
        if (!fits) return NoOverload(index.At, "_[_]", [operand, key]);
        var element = holder.Element ?? CelType.Dyn;
        return index.Optional || operand.Type.Kind == CelKind.Optional ? new Typed(CelType.OptionalOf(element), cost) : new Typed(element, cost);
    }

    private Typed VisitConditional(Conditional conditional, Scope? scope)
    {
        var (test, then, @else) = (Visit(conditional.Test, scope), Visit(conditional.Then, scope), Visit(conditional.Else, scope));
        var accepted = then.Type.Accepts(@else.Type) || then.Type.Kind == CelKind.Null || @else.Type.Kind == CelKind.Null;
        if (!CelType.Bool.Accepts(test.Type) || !accepted) return NoOverload(conditional.At, "_?_:_", [test, then, @else]);
        var type = then.Type.Kind == @else.Type.Kind ? then.Type : CelType.Dyn;
        return new Typed(type, Math.Max(then.Size, @else.Size), Cost.Add(test.Cost, Math.Max(then.Cost, @else.Cost)));
    }

    private Typed VisitList(MakeList list, Scope? scope)
    {
        var items = list.Items.Select(i => Visit(i, scope)).ToList();
        var type = items.Count == 0 ? CelType.Dyn : items[0].Type with { Size = items.Max(i => i.Size) };
        if (items.Exists(i => !type.Accepts(i.Type))) type = CelType.Dyn;
        return new Typed(CelType.ListOf(type, (ulong)items.Count), Cost.Add(Cost.Sum(items), Cost.MakeList));
    }

    private Typed VisitMap(MakeMap map, Scope? scope)
    {
        var keys = map.Entries.Select(e => Visit(e.Key, scope)).ToList();
        var values = map.Entries.Select(e => Visit(e.Value, scope)).ToList();
        var type = values.Count == 0 ? CelType.Dyn : values[0].Type with { Size = values.Max(i => i.Size) };
        if (values.Exists(i => !type.Accepts(i.Type))) type = CelType.Dyn;
        return new Typed(CelType.MapOf(type, (ulong)values.Count) with { KeySize = keys.Count == 0 ? 0 : keys.Max(k => k.Size) }, Cost.Add(Cost.Add(Cost.Sum(keys), Cost.Sum(values)), Cost.MakeMap));
    }

    private Typed VisitMacro(Macro macro, Scope? scope)
    {
        var range = Visit(macro.Range, scope);
        if (range.Type.Kind is not (CelKind.List or CelKind.Map or CelKind.Dyn))
            return Fail(macro.At, $"expression of type '{range.Type.Name}' cannot be range of a comprehension (must be list, map, or dynamic)");

        var variable = range.Type.Kind == CelKind.Map ? CelType.String with { Size = range.Type.KeySize } : range.Type.Element ?? CelType.Dyn;
        var inner = new Scope(macro.Variable, variable, scope);
        var test = macro.Test is null ? (Typed?)null : Visit(macro.Test, inner);
        if (test is { } t && !CelType.Bool.Accepts(t.Type)) NoOverload(macro.At, "_&&_", [new Typed(CelType.Bool, 0), t]);
        var transform = macro.Transform is null ? (Typed?)null : Visit(macro.Transform, inner);
        var body = Cost.Add(test?.Cost ?? 0, transform?.Cost ?? 0);

        // What one round of the expanded loop costs beside the user's part: the condition, the accumulator, the new item.
        var (round, start, type) = macro.Kind switch
        {
            MacroKind.All => (3UL, 1UL, CelType.Bool),
            MacroKind.Exists => (4UL, 1UL, CelType.Bool),
            MacroKind.ExistsOne => (2UL, 2UL, CelType.Bool),
            MacroKind.Filter => (13UL, 11UL, CelType.ListOf(variable, range.Size)),
            _ => (12UL, 11UL, CelType.ListOf(transform?.Type ?? CelType.Dyn, range.Size)),
        };
        var loops = Cost.Multiply(range.Size, Cost.Add(body, round));
        return new Typed(type, Cost.Add(Cost.Add(range.Cost, start), loops));
    }

    private Typed VisitBind(Bind bind, Scope? scope)
    {
        var value = Visit(bind.Value, scope);
        var type = value.Type;
        if (bind.Unwrap != OptionalUse.None)
        {
            if (type.Kind is not (CelKind.Optional or CelKind.Dyn)) return NoOverload(bind.At, bind.Unwrap == OptionalUse.Map ? "optMap" : "optFlatMap", [value]);
            type = type.Element ?? CelType.Dyn;
        }

        var body = Visit(bind.Body, new Scope(bind.Variable, type, scope) { Size = bind.Unwrap == OptionalUse.None ? value.Size : null });
        var cost = Cost.Add(Cost.Add(value.Cost, body.Cost), Cost.MakeList);
        return bind.Unwrap == OptionalUse.Map ? new Typed(CelType.OptionalOf(body.Type), cost) : body with { Cost = cost };
    }

    private Typed VisitCall(Call call, Scope? scope)
    {
        if (call.Target is Ident { Name: "optional" } && scope?.Find("optional") is null) return VisitFunction(call, "optional." + call.Function, false, Arguments(call.Arguments, scope));
        if (call.Target is not null) return VisitFunction(call, call.Function, true, Arguments([call.Target, .. call.Arguments], scope));
        var arguments = Arguments(call.Arguments, scope);
        return call.Function[0] is '_' or '@' or '!' or '-' && !char.IsAsciiLetter(call.Function[^1]) || call.Function == "@in"
            ? VisitOperator(call, arguments)
            : VisitFunction(call, call.Function, false, arguments);
    }

    private List<Typed> Arguments(IEnumerable<Expr> arguments, Scope? scope) => arguments.Select(a => Visit(a, scope)).ToList();

    private Typed VisitFunction(Call call, string name, bool isMethod, List<Typed> arguments)
    {
        if (!CelFunctions.Exists(name)) return Fail(call.At, $"undeclared reference to '{name}' (in container '')");
        var fits = CelFunctions.Find(name, isMethod, arguments.Count).Where(f => f.Fits(arguments)).ToList();
        if (fits.Count == 0) return NoOverload(call.At, name, arguments, isMethod);
        var results = fits.Select(f => (Type: f.ResultOf?.Invoke(arguments) ?? f.Result, Estimate: f.Estimate?.Invoke(arguments))).ToList();
        var (type, estimate) = results[0];
        var cost = results.Max(r => r.Estimate?.Cost ?? 1);
        var size = results.Max(r => r.Estimate?.Size ?? r.Type.Size);
        return new Typed(type, size, Cost.Add(Cost.Sum(arguments), cost));
    }

    private Typed VisitOperator(Call call, List<Typed> arguments)
    {
        var cost = Cost.Sum(arguments);
        var (a, b) = (arguments[0], arguments[^1]);
        switch (call.Function)
        {
            case "!_":
                return CelType.Bool.Accepts(a.Type) ? new Typed(CelType.Bool, Cost.Add(cost, 1)) : NoOverload(call.At, "!_", arguments);
            case "-_":
                return a.Type.Kind is CelKind.Int or CelKind.Double or CelKind.Dyn or CelKind.Duration ? new Typed(a.Type, Cost.Add(cost, 1)) : NoOverload(call.At, "-_", arguments);
            case "_==_" or "_!=_":
                var comparable = a.Type.Accepts(b.Type) || a.Type.Kind == CelKind.Null || b.Type.Kind == CelKind.Null;
                return comparable ? new Typed(CelType.Bool, Cost.Add(cost, Traverse(Math.Min(a.Size, b.Size)))) : NoOverload(call.At, call.Function, arguments);
            case "_<_" or "_<=_" or "_>_" or "_>=_":
                if (!IsOrdered(a.Type, b.Type)) return NoOverload(call.At, call.Function, arguments);
                return new Typed(CelType.Bool, Cost.Add(cost, a.Type.Kind is CelKind.String or CelKind.Bytes || b.Type.Kind is CelKind.String or CelKind.Bytes ? Traverse(Math.Min(a.Size, b.Size)) : 1));
            case "@in":
                return b.Type.Kind is CelKind.List or CelKind.Map or CelKind.Dyn && (b.Type.Kind != CelKind.List || (b.Type.Element ?? CelType.Dyn).Accepts(a.Type))
                    ? new Typed(CelType.Bool, Cost.Add(cost, b.Type.Kind == CelKind.List ? b.Size : 1))
                    : NoOverload(call.At, "@in", arguments);
            default:
                return VisitArithmetic(call, a, b, cost);
        }
    }

    private Typed VisitArithmetic(Call call, Typed a, Typed b, ulong cost)
    {
        var type = (call.Function, a.Type.Kind, b.Type.Kind) switch
        {
            (_, CelKind.Dyn, _) => b.Type,
            (_, _, CelKind.Dyn) => a.Type,
            (_, CelKind.Int, CelKind.Int) or (_, CelKind.Uint, CelKind.Uint) => a.Type,
            ("_+_" or "_-_" or "_*_" or "_/_", CelKind.Double, CelKind.Double) => a.Type,
            ("_+_", CelKind.String, CelKind.String) or ("_+_", CelKind.Bytes, CelKind.Bytes) => a.Type,
            ("_+_", CelKind.List, CelKind.List) when (a.Type.Element ?? CelType.Dyn).Accepts(b.Type.Element ?? CelType.Dyn) => CelType.ListOf(a.Type.Element ?? CelType.Dyn),
            ("_+_" or "_-_", CelKind.Duration, CelKind.Duration) => a.Type,
            ("_+_" or "_-_", CelKind.Timestamp, CelKind.Duration) => a.Type,
            ("_+_", CelKind.Duration, CelKind.Timestamp) => b.Type,
            ("_-_", CelKind.Timestamp, CelKind.Timestamp) => CelType.Duration,
            _ => null,
        };
        if (type is null) return NoOverload(call.At, call.Function, [a, b]);
        if (type.Kind is not (CelKind.String or CelKind.Bytes or CelKind.List or CelKind.Dyn)) return new Typed(type with { Size = 1 }, Cost.Add(cost, 1));
        var size = Cost.Add(a.Size, b.Size);
        return new Typed(type with { Size = size }, size, Cost.Add(cost, type.Kind == CelKind.List ? 1 : Traverse(size)));
    }

    private static bool IsOrdered(CelType a, CelType b)
    {
        if (a.Kind == CelKind.Dyn || b.Kind == CelKind.Dyn) return true;
        if (a.Kind is CelKind.Int or CelKind.Uint or CelKind.Double) return b.Kind is CelKind.Int or CelKind.Uint or CelKind.Double;
        return a.Kind == b.Kind && a.Kind is CelKind.Bool or CelKind.String or CelKind.Bytes or CelKind.Duration or CelKind.Timestamp;
    }

    private static ulong Traverse(ulong size) => Cost.Scale(size, Cost.PerCharacter);

    private Typed NoOverload(int at, string function, IReadOnlyList<Typed> arguments, bool isMethod = false)
    {
        var names = isMethod
            ? $"{arguments[0].Type.Name}.({string.Join(", ", arguments.Skip(1).Select(a => a.Type.Name))})"
            : $"({string.Join(", ", arguments.Select(a => a.Type.Name))})";
        return Fail(at, $"found no matching overload for '{function}' applied to '{names}'");
    }

    private Typed Fail(int at, string message)
    {
        if (errors.Count < MaxErrors) errors.Add(CelError.Format(source, at, message));
        return new Typed(CelType.Dyn, 1, 0);
    }

    private sealed record Scope(string Name, CelType Type, Scope? Outer)
    {
        public ulong? Size { get; init; }

        public Scope? Find(string name) => Name == name ? this : Outer?.Find(name);
    }
}
