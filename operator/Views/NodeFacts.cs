using Trestle.Runtime;

namespace Trestle.Operator.Views;

/// <summary>Short questions about nodes.</summary>
internal static class NodeFacts
{
    /// <summary>It is there and says that it is ready.</summary>
    public static bool IsReady(IObjectCache<NodeView> nodes, string name) =>
        nodes.Find(new ObjectKey("", name))?.Status?.Conditions?.Exists(condition => condition is { Type: "Ready", Status: "True" }) == true;
}
