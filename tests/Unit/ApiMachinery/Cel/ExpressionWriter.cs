using System.Globalization;
using Trestle.Local.ApiMachinery.Cel;

namespace Trestle.Local.ApiMachinery.Tests.Cel;

/// <summary>Writes a tree back as source, every operation in parentheses.</summary>
internal static class ExpressionWriter
{
    public static string Write(Expr expr) => expr switch
    {
        Literal literal => Write(literal.Value),
        Ident ident => ident.Name,
        Select select => $"{Write(select.Operand)}.{(select.Optional ? "?" : "")}{select.Field}",
        Has has => $"has({Write(has.Operand)}.{has.Field})",
        ElementAt index => $"{Write(index.Operand)}[{(index.Optional ? "?" : "")}{Write(index.Key)}]",
        Logic logic => $"({Write(logic.Left)} {(logic.IsAnd ? "&&" : "||")} {Write(logic.Right)})",
        Conditional c => $"({Write(c.Test)} ? {Write(c.Then)} : {Write(c.Else)})",
        MakeList list => $"[{string.Join(", ", list.Items.Select(Write))}]",
        MakeMap map => $"{{{string.Join(", ", map.Entries.Select(e => Write(e.Key) + ": " + Write(e.Value)))}}}",
        Macro macro => $"{Write(macro.Range)}.{Name(macro.Kind)}({macro.Variable}{Part(macro.Test)}{Part(macro.Transform)})",
        Bind bind => $"cel.bind({bind.Variable}, {Write(bind.Value)}, {Write(bind.Body)})",
        Call { Function: "!_" } not => $"(!{Write(not.Arguments[0])})",
        Call { Function: "-_" } minus => $"(-({Write(minus.Arguments[0])}))",
        Call { Function: "@in" } @in => $"({Write(@in.Arguments[0])} in {Write(@in.Arguments[1])})",
        Call { Target: null, Function: ['_', .. var op, '_'] } call => $"({Write(call.Arguments[0])} {op} {Write(call.Arguments[1])})",
        Call call => $"{(call.Target is null ? "" : Write(call.Target) + ".")}{call.Function}({string.Join(", ", call.Arguments.Select(Write))})",
        _ => throw new NotSupportedException(expr.ToString()),
    };

    private static string Part(Expr? expr) => expr is null ? "" : ", " + Write(expr);

    private static string Name(MacroKind kind) => kind == MacroKind.ExistsOne ? "exists_one" : kind.ToString().ToLowerInvariant();

    private static string Write(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        long i => i < 0 ? $"({i})" : i.ToString(CultureInfo.InvariantCulture),
        ulong u => u + "u",
        double d => d.ToString("0.0####", CultureInfo.InvariantCulture),
        byte[] bytes => "b'" + System.Text.Encoding.UTF8.GetString(bytes) + "'",
        var text => $"'{((string)text).Replace("\\", "\\\\").Replace("'", "\\'")}'",
    };
}
