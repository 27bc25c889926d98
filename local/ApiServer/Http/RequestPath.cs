namespace Trestle.Local.ApiServer;

/// <summary>A resource path: <c>/api/v1/namespaces/NS/pods/NAME/log</c> and its relatives.</summary>
internal sealed record RequestPath(string Group, string Version, string? Namespace, string Plural, string? Name, string? Subresource, ResourceDefinition? Resource)
{
    /// <summary>Takes the path apart; null when it is no resource path of a served group version.</summary>
    public static RequestPath? Parse(string path, ResourceCatalog catalog)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length >= 3 && parts[0] == "api") return Parse("", parts[1], parts.AsSpan(2), catalog);
        return parts.Length >= 4 && parts[0] == "apis" ? Parse(parts[1], parts[2], parts.AsSpan(3), catalog) : null;
    }

    private static RequestPath? Parse(string group, string version, ReadOnlySpan<string> rest, ResourceCatalog catalog)
    {
        if (!catalog.HasGroupVersion(group, version) && !ReviewHandler.Serves(group, version)) return null;
        string? ns = null;
        // namespaces/NS/status and /finalize belong to the namespace itself.
        if (rest[0] == "namespaces" && rest.Length >= 3 && !(group.Length == 0 && rest.Length == 3 && rest[2] is "status" or "finalize"))
        {
            ns = rest[1];
            rest = rest[2..];
        }

        if (rest.Length > 3 && rest[2] is not ("proxy" or "attach" or "exec" or "portforward")) return null;
        var resource = catalog.Find(group, version, rest[0]);
        if (resource is not null && resource.IsNamespaced != (ns is not null) && (ns is not null || rest.Length > 1)) resource = null;
        return new RequestPath(group, version, ns, rest[0], rest.Length > 1 ? Uri.UnescapeDataString(rest[1]) : null, rest.Length > 2 ? rest[2] : null, resource);
    }
}
