namespace Trestle.Testing.Engine;

/// <summary>What goes wrong when a route of the stand-in engine is called.</summary>
public enum EngineFault
{
    /// <summary>No answer comes, for as long as the caller waits.</summary>
    Hang,

    /// <summary>500 before anything is done.</summary>
    Refuse,

    /// <summary>500 after a part of the weights was written.</summary>
    PartialApply,

    /// <summary>The engine dies, as if killed.</summary>
    Crash,
}
