namespace Trestle.Local.Nodes.Agent;

/// <summary>Tells errors of the API that pass by themselves from mistakes of our own.</summary>
internal static class NodeApiErrors
{
    /// <summary>Whether trying again later is the answer.</summary>
    public static bool IsPassing(Exception e) => e is HttpRequestException or IOException or TimeoutException or OperationCanceledException or KubeAnswerException;

    /// <summary>What a log line says of an error: one sentence for what passes, everything for what should not happen.</summary>
    public static string Words(Exception e) => IsPassing(e) ? e.Message : e.ToString();
}
