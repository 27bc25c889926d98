namespace Trestle.Bridge;

/// <summary>Whether a bridge does its part, for whoever asks. Why something fails is in the log: it may name objects.</summary>
public sealed class BridgeHealth
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
