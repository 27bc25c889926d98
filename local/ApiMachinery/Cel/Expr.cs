namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>A parsed expression. <paramref name="At"/> is the offset the messages point at.</summary>
internal abstract record Expr(int At);

internal sealed record Literal(int At, object? Value) : Expr(At);

internal sealed record Ident(int At, string Name) : Expr(At);

/// <summary><c>a.b</c>; optional as <c>a.?b</c>.</summary>
internal sealed record Select(int At, Expr Operand, string Field, bool Optional) : Expr(At);

/// <summary><c>has(a.b)</c>.</summary>
internal sealed record Has(int At, Expr Operand, string Field) : Expr(At);

/// <summary><c>a[b]</c>; optional as <c>a[?b]</c>.</summary>
internal sealed record ElementAt(int At, Expr Operand, Expr Key, bool Optional) : Expr(At);

/// <summary>A function, a method (with a target) or an operator (named like <c>_+_</c>).</summary>
internal sealed record Call(int At, Expr? Target, string Function, IReadOnlyList<Expr> Arguments) : Expr(At);

/// <summary><c>a &amp;&amp; b</c> or <c>a || b</c>: an error on one side yields to a deciding other side.</summary>
internal sealed record Logic(int At, bool IsAnd, Expr Left, Expr Right) : Expr(At);

internal sealed record Conditional(int At, Expr Test, Expr Then, Expr Else) : Expr(At);

internal sealed record MakeList(int At, IReadOnlyList<Expr> Items) : Expr(At);

internal sealed record MakeMap(int At, IReadOnlyList<(Expr Key, Expr Value)> Entries) : Expr(At);

internal enum MacroKind { All, Exists, ExistsOne, Filter, Map }

/// <summary><c>range.all(v, test)</c> and its kin; <paramref name="Transform"/> is what <c>map</c> yields.</summary>
internal sealed record Macro(int At, MacroKind Kind, Expr Range, string Variable, Expr? Test, Expr? Transform) : Expr(At);

/// <summary><c>cel.bind(v, value, body)</c>, and with <paramref name="Unwrap"/> the body of <c>optMap</c> and <c>optFlatMap</c>.</summary>
internal sealed record Bind(int At, string Variable, Expr Value, Expr Body, OptionalUse Unwrap) : Expr(At);

internal enum OptionalUse { None, Map, FlatMap }
