using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>What /version says: the Kubernetes version whose behaviour is followed.</summary>
internal static class ServerVersion
{
    public static JsonObject Describe() => new()
    {
        ["major"] = "1",
        ["minor"] = "36",
        ["emulationMajor"] = "1",
        ["emulationMinor"] = "36",
        ["minCompatibilityMajor"] = "1",
        ["minCompatibilityMinor"] = "35",
        ["gitVersion"] = "v1.36.0+trestle",
        ["gitCommit"] = "",
        ["gitTreeState"] = "",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "dotnet",
        ["platform"] = "linux/amd64",
    };
}
