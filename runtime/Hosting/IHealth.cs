namespace Trestle.Runtime;

/// <summary>What a program says of itself to whoever asks. Why something fails is in the log: it may name objects, and whoever asks is unknown.</summary>
public interface IHealth
{
    /// <summary>Whether it does its part.</summary>
    bool IsReady { get; }

    /// <summary>One line for people.</summary>
    string Text { get; }
}
