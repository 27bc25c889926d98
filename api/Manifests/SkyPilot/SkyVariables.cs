using System.Text.RegularExpressions;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>envs and secrets of a task. A value that is absent must be given from elsewhere.</summary>
internal sealed partial class SkyVariables
{
    private readonly Notes _notes;
    private readonly IReadOnlyCollection<string> _given;
    private readonly Dictionary<string, string> _secret = new(StringComparer.Ordinal);

    public SkyVariables(Notes notes, IReadOnlyCollection<string> given, YamlMap task)
    {
        (_notes, _given) = (notes, given);
        foreach (var (name, value) in Read(task.Find("envs"), "--env NAME=VALUE"))
        {
            Plain.Add(new EnvVar { Name = name, Value = value });
        }

        foreach (var (name, value) in Read(task.Find("secrets"), "--secret NAME"))
        {
            _secret[name] = value;
            if (Plain.RemoveAll(variable => variable.Name == name) > 0)
            {
                notes.Error(task.Find("secrets")!.Line, $"{name} is in envs and in secrets; remove it from one of them");
            }
        }
    }

    public List<EnvVar> Plain { get; } = [];

    public IReadOnlyDictionary<string, string> Secret => _secret;

    /// <summary>$NAME and ${NAME} replaced where NAME is one of envs; secrets don't belong in paths.</summary>
    public string Fill(string text) => Reference().Replace(text, found =>
        Plain.Find(variable => variable.Name == found.Groups["name"].Value + found.Groups["braced"].Value)?.Value ?? found.Value);

    private IEnumerable<(string Name, string Value)> Read(YamlEntry? section, string option)
    {
        if (section is null or { Value.IsNull: true } || _notes.Map(section) is not { } map)
        {
            yield break;
        }

        _notes.Mapped(section.Line, section.Key == "envs" ? "envs → env" : "secrets → a Secret that env refers to");
        foreach (var entry in map.Entries)
        {
            if (!Name().IsMatch(entry.Key))
            {
                _notes.Error(entry.Line, $"'{Notes.Shown(entry.Key)}' can't be the name of a variable; use letters, digits and _");
            }
            else if (!entry.Value.IsNull)
            {
                yield return (entry.Key, _notes.Text(entry) ?? "");
            }
            else if (!_given.Contains(entry.Key))
            {
                _notes.Error(entry.Line, $"{entry.Key} has no value; write one, or give it with {option.Replace("NAME", entry.Key, StringComparison.Ordinal)}");
            }
        }
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,255}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Name();

    [GeneratedRegex(@"\$(\{(?<braced>[A-Za-z_][A-Za-z0-9_]*)\}|(?<name>[A-Za-z_][A-Za-z0-9_]*))", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}
