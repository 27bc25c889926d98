namespace Trestle.Operator.Rbac;

/// <summary>One right: a verb on a resource.</summary>
/// <param name="Group">API group, "" for core.</param>
/// <param name="Resource">Plural, with the subresource behind a slash.</param>
/// <param name="Verb">As Kubernetes has them, e.g. list.</param>
/// <param name="InOwnNamespace">Only where the operator runs.</param>
internal sealed record RbacRight(string Group, string Resource, string Verb, bool InOwnNamespace);
