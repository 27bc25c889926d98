using Trestle.Runtime;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>Whether a gateway does its part.</summary>
public sealed class GatewayHealth : IHealth
{
    private volatile string _text = "looking what was left behind";
    private volatile bool _isReady;

    /// <inheritdoc/>
    public bool IsReady => _isReady;

    /// <inheritdoc/>
    public string Text => _text;

    internal void Works() => (_text, _isReady) = ("working", true);

    internal void Stops() => (_text, _isReady) = ("stopping", false);
}
