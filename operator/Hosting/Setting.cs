namespace Trestle.Operator.Hosting;

/// <summary>One thing the operator program can be told, by a flag or by an environment variable; the flag wins.</summary>
/// <param name="Name">E.g. node-image: the flag is --node-image, the variable TRESTLE_NODE_IMAGE.</param>
/// <param name="Default">Value when it is not given; null for none.</param>
/// <param name="Help">One line.</param>
internal sealed record Setting(string Name, string? Default, string Help)
{
    public string Flag => "--" + Name;

    public string Variable => "TRESTLE_" + Name.ToUpperInvariant().Replace('-', '_');

    /// <summary>Both, for messages.</summary>
    public string Both => $"{Variable} ({Flag})";
}
