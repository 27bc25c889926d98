namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>A rule ready to run.</summary>
/// <param name="UsesOld">It refers to <c>oldSelf</c>, so it runs only when there is an old value (or always, with optionalOldSelf).</param>
internal sealed record CompiledRule(RuleText Text, Expr Rule, Expr? MessageExpression, bool UsesOld);
