using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>Whether a bridge does its part.</summary>
public sealed class BridgeHealth : IHealth
{
    private volatile string _text = "the API server has not answered yet";
    private volatile bool _isReady;

    /// <summary>Whether it works.</summary>
    public bool IsReady => _isReady;

    /// <summary>One line for people.</summary>
    public string Text => _text;

    internal void Works() => (_text, _isReady) = ("working", true);

    internal void Fails() => (_text, _isReady) = ("can't work; the log says why", false);

    internal void Stops() => (_text, _isReady) = ("stopping", false);
}
