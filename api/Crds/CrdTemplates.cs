namespace Trestle.Api.Crds;

/// <summary>A definition → the template with which the Helm chart installs it. The text stays as it is: Helm's own YAML would round large numbers.</summary>
public static class CrdTemplates
{
    private const string Metadata = "\nmetadata:\n";

    /// <summary>The template of one definition.</summary>
    /// <param name="yaml">Text of a file in crds/.</param>
    public static string Write(string yaml)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        var at = yaml.IndexOf(Metadata, StringComparison.Ordinal) + Metadata.Length;
        // Deleting a definition deletes every object of its kind, so an uninstall leaves it; whoever wants that deletes it by hand.
        return "{{- if .Values.crds.enabled }}\n"
            + yaml[..at]
            + "  annotations:\n    helm.sh/resource-policy: keep\n  labels:\n    {{- include \"trestle.labels\" . | nindent 4 }}\n"
            + yaml[at..].Replace("{{", "{{ \"{{\" }}", StringComparison.Ordinal)
            + "{{- end }}\n";
    }
}
