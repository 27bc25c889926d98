using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>A server with the recorded TrainingJob kind, in memory or in a directory of its own.</summary>
internal sealed class ServerFixture : IAsyncDisposable
{
    public const string Jobs = "/apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs";
    public const string Pods = "/api/v1/namespaces/default/pods";
    public const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    private ServerFixture(RunningApiServer server)
    {
        Server = server;
        Client = new ApiClient(server);
    }

    public RunningApiServer Server { get; }
    public ApiClient Client { get; }

    public static async Task<ServerFixture> StartAsync(ApiServerOptions? options = null)
    {
        var fixture = new ServerFixture(await ApiServerHost.StartAsync(options ?? new ApiServerOptions(), TestContext.Current.CancellationToken));
        await fixture.Client.TryAsync("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", JsonNode.Parse(Recording.Find("005-crd-create").Body));
        return fixture;
    }

    public static JsonObject Job(string name) => new()
    {
        ["apiVersion"] = "trestle.dev/v1alpha1",
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["run"] = "true" },
    };

    public static JsonObject ConfigMap(string name) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["data"] = new JsonObject { ["k"] = "v" },
    };

    public static JsonObject OwnedBy(JsonObject content, JsonObject owner, bool blocks = true)
    {
        content["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = owner["apiVersion"]!.DeepClone(),
            ["kind"] = owner["kind"]!.DeepClone(),
            ["name"] = owner["metadata"]!["name"]!.DeepClone(),
            ["uid"] = owner["metadata"]!["uid"]!.DeepClone(),
            ["blockOwnerDeletion"] = blocks,
        });
        return content;
    }

    public static JsonObject Pod(string name) => (JsonObject)JsonNode.Parse($$$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"},"spec":{"containers":[{"name":"main","image":"x"}],"restartPolicy":"Never"}}
        """)!;

    public async Task BindAsync(string pod, string node = "node-0") =>
        await Client.JsonAsync("POST", $"{Pods}/{pod}/binding", JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"Binding","metadata":{"name":"{{{pod}}}"},"target":{"kind":"Node","name":"{{{node}}}"}}"""));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}
