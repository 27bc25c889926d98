using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>Runs an expression within a budget of steps. Only <see cref="CelException"/> leaves it.</summary>
internal sealed class Evaluator(long budget)
{
    // An error thrown and caught is far dearer than a step.
    private const long ErrorCost = 200;
    private long left = budget;

    /// <summary>Steps not used yet.</summary>
    public long Left => left;

    public object? Run(Expr expr, IReadOnlyDictionary<string, object?> variables)
    {
        try
        {
            return Eval(expr, variables.Aggregate((Scope?)null, (outer, v) => new Scope(v.Key, v.Value, outer)));
        }
        catch (Exception e) when (e is InsufficientExecutionStackException or InvalidCastException or RegexMatchTimeoutException or OverflowException or ArgumentException or FormatException)
        {
            throw new CelException(e is InsufficientExecutionStackException ? "the expression is nested too deep" : e is RegexMatchTimeoutException ? "a pattern took too long" : "no such overload");
        }
    }

    private object? Eval(Expr expr, Scope? scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Spend(1);
        switch (expr)
        {
            case Literal literal: return literal.Value;
            case Ident ident: return scope is not null && scope.TryFind(ident.Name, out var value) ? value : TypeNamed(ident.Name);
            case Select select: return EvalSelect(select, scope);
            case Has has: return EvalHas(Eval(has.Operand, scope), has.Field);
            case ElementAt index: return EvalIndex(index, scope);
            case Logic logic: return EvalLogic(logic, scope);
            case Conditional c: return Truth(Eval(c.Test, scope)) ? Eval(c.Then, scope) : Eval(c.Else, scope);
            case MakeList list: return list.Items.Select(i => Eval(i, scope)).ToList();
            case MakeMap map: return EvalMap(map, scope);
            case Macro macro: return EvalMacro(macro, scope);
            case Bind bind: return EvalBind(bind, scope);
            default: return EvalCall((Call)expr, scope);
        }
    }

    private object? EvalSelect(Select select, Scope? scope)
    {
        var operand = Eval(select.Operand, scope);
        if (operand is CelOptional optional)
            return optional.HasValue && optional.Value is ICelMap held && held.TryGet(select.Field, out var inner) ? new CelOptional(true, inner) : CelOptional.None;
        if (operand is not ICelMap map) throw CelOperators.NoOverload();
        var found = map.TryGet(select.Field, out var value);
        if (select.Optional) return found ? new CelOptional(true, value) : CelOptional.None;
        return found ? value : throw new CelException($"no such key: {select.Field}");
    }

    private static bool EvalHas(object? operand, string field) => operand switch
    {
        ICelMap map => map.TryGet(field, out _),
        CelOptional optional => optional.HasValue && EvalHas(optional.Value, field),
        _ => throw CelOperators.NoOverload(),
    };

    private object? EvalIndex(ElementAt index, Scope? scope)
    {
        var (operand, key) = (Eval(index.Operand, scope), Eval(index.Key, scope));
        var optional = index.Optional;
        if (operand is CelOptional o)
        {
            if (!o.HasValue) return CelOptional.None;
            (operand, optional) = (o.Value, true);
        }

        object? value = null;
        var found = operand switch
        {
            ICelMap map => map.TryGet(key, out value),
            IReadOnlyList<object?> list => TryItem(list, key, out value),
            _ => throw CelOperators.NoOverload(),
        };
        if (optional) return found ? new CelOptional(true, value) : CelOptional.None;
        return found ? value : throw new CelException(operand is ICelMap ? $"no such key: {key}" : $"index out of bounds: {key}");
    }

    private static bool TryItem(IReadOnlyList<object?> list, object? key, out object? value)
    {
        var index = key switch { long i => i, ulong u when u <= int.MaxValue => (long)u, double d when d == Math.Floor(d) => (long)d, _ => throw CelOperators.NoOverload() };
        var inside = index >= 0 && index < list.Count;
        value = inside ? list[(int)index] : null;
        return inside;
    }

    // A deciding value on either side wins over an error on the other.
    private object EvalLogic(Logic logic, Scope? scope)
    {
        CelException? error = null;
        try
        {
            if (Truth(Eval(logic.Left, scope)) != logic.IsAnd) return !logic.IsAnd;
        }
        catch (CelException e) when (!e.IsBudget)
        {
            Spend(ErrorCost);
            error = e;
        }

        if (Truth(Eval(logic.Right, scope)) != logic.IsAnd) return !logic.IsAnd;
        return error is null ? logic.IsAnd : throw error;
    }

    private CelMap EvalMap(MakeMap map, Scope? scope)
    {
        var entries = new List<(object?, object?)>();
        foreach (var (key, value) in map.Entries)
        {
            var name = Eval(key, scope);
            if (name is not (string or long or ulong or bool)) throw new CelException("unsupported key type");
            if (entries.Exists(e => CelOperators.AreEqual(e.Item1, name))) throw new CelException($"Failed with repeated key: {name}");
            entries.Add((name, Eval(value, scope)));
        }

        return new CelMap(entries);
    }

    private object? EvalMacro(Macro macro, Scope? scope)
    {
        var items = Eval(macro.Range, scope) switch
        {
            ICelMap map => map.Keys,
            IReadOnlyList<object?> list => list,
            _ => throw CelOperators.NoOverload(),
        };
        return macro.Kind switch
        {
            MacroKind.All => Quantify(items, isAll: true),
            MacroKind.Exists => Quantify(items, isAll: false),
            MacroKind.ExistsOne => items.Count(i => Truth(Eval(macro.Test!, new Scope(macro.Variable, i, scope)))) == 1,
            _ => Collect(items),
        };

        bool Quantify(IEnumerable<object?> range, bool isAll)
        {
            CelException? error = null;
            foreach (var item in range)
            {
                try
                {
                    if (Truth(Eval(macro.Test!, new Scope(macro.Variable, item, scope))) != isAll) return !isAll;
                }
                catch (CelException e) when (!e.IsBudget)
                {
                    Spend(ErrorCost);
                    error = e;
                }
            }

            return error is null ? isAll : throw error;
        }

        List<object?> Collect(IEnumerable<object?> range)
        {
            var result = new List<object?>();
            foreach (var item in range)
            {
                Spend(1);
                var inner = new Scope(macro.Variable, item, scope);
                if (macro.Test is not null && !Truth(Eval(macro.Test, inner))) continue;
                result.Add(macro.Transform is null ? item : Eval(macro.Transform, inner));
            }

            return result;
        }
    }

    private object? EvalBind(Bind bind, Scope? scope)
    {
        var value = Eval(bind.Value, scope);
        if (bind.Unwrap == OptionalUse.None) return Eval(bind.Body, new Scope(bind.Variable, value, scope));
        if (value is not CelOptional optional) throw CelOperators.NoOverload();
        if (!optional.HasValue) return CelOptional.None;
        var body = Eval(bind.Body, new Scope(bind.Variable, optional.Value, scope));
        return bind.Unwrap == OptionalUse.Map ? new CelOptional(true, body) : body;
    }

    private object? EvalCall(Call call, Scope? scope)
    {
        if (call.Target is Ident { Name: "optional" } && !(scope?.TryFind("optional", out _) ?? false))
            return Invoke("optional." + call.Function, false, call.Arguments.Select(a => Eval(a, scope)).ToList());
        if (call.Target is not null) return Invoke(call.Function, true, call.Arguments.Prepend(call.Target).Select(a => Eval(a, scope)).ToList());
        if (call.Arguments.Count is 1 or 2 && IsOperator(call.Function))
        {
            var a = Eval(call.Arguments[0], scope);
            return Charged(Operate(call.Function, a, call.Arguments.Count == 2 ? Eval(call.Arguments[1], scope) : null));
        }

        return Invoke(call.Function, false, call.Arguments.Select(a => Eval(a, scope)).ToList());
    }

    private static bool IsOperator(string name) => name is "!_" or "-_" or "@in" || (name[0] == '_' && name[^1] == '_' && !char.IsAsciiLetterOrDigit(name[1]));

    private object Operate(string op, object? a, object? b)
    {
        Spend((Weight(a) + Weight(b)) / 10);
        return op switch
        {
            "!_" => !Truth(a),
            "-_" => CelOperators.Negate(a),
            "_==_" => CelOperators.AreEqual(a, b),
            "_!=_" => !CelOperators.AreEqual(a, b),
            "_<_" => CelOperators.Compare(a, b) < 0,
            "_<=_" => CelOperators.Compare(a, b) <= 0,
            "_>_" => CelOperators.Compare(a, b) > 0,
            "_>=_" => CelOperators.Compare(a, b) >= 0,
            "@in" => CelOperators.Contains(b, a),
            _ => CelOperators.Arithmetic(op, a, b),
        };
    }

    private object? Invoke(string name, bool isMethod, List<object?> arguments)
    {
        foreach (var argument in arguments) Spend(Weight(argument) / 10);
        foreach (var function in CelFunctions.Find(name, isMethod, arguments.Count))
            if (function.Fits(arguments)) return Charged(function.Body(arguments));
        throw CelOperators.NoOverload();
    }

    private object? Charged(object? result)
    {
        Spend(Weight(result) / 10);
        return result;
    }

    private static long Weight(object? value) => value switch
    {
        string text => text.Length,
        byte[] bytes => bytes.Length,
        IReadOnlyList<object?> list => list.Count * 10L,
        ICelMap map => map.Count * 10L,
        _ => 0,
    };

    private static bool Truth(object? value) => value is bool b ? b : throw CelOperators.NoOverload();

    private static CelTypeValue TypeNamed(string name) =>
        name is "int" or "uint" or "double" or "string" or "bool" or "bytes" or "list" or "map" or "null_type" ? new CelTypeValue(name) : throw new CelException($"no such attribute: {name}");

    private void Spend(long steps)
    {
        left -= steps;
        if (left < 0) throw new CelException("operation cancelled: actual cost limit exceeded", isBudget: true);
    }

    private sealed record Scope(string Name, object? Value, Scope? Outer)
    {
        public bool TryFind(string name, out object? value)
        {
            for (var s = this; s is not null; s = s.Outer)
            {
                if (s.Name != name) continue;
                value = s.Value;
                return true;
            }

            value = null;
            return false;
        }
    }
}
