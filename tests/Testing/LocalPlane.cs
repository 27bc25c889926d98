using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using k8s;

namespace Trestle.Testing;

/// <summary>What the plane is made of; each part is a process with its number in STATE/run.</summary>
public enum PlanePart
{
    Supervisor,
    Api,
    Operator,
    Nodes,
}

/// <summary>
/// A one-machine control plane of its own, started and stopped by the commands that a user types. Stopping it asserts that
/// nothing is left: no process that names the state directory, and no directory.
/// </summary>
public sealed class LocalPlane : IAsyncDisposable
{
    private readonly TemporaryDirectory temporary = new();
    private Kubernetes? client;

    private readonly IReadOnlyDictionary<string, string?> variables;

    private LocalPlane(string? state, IReadOnlyDictionary<string, string?>? variables) => (State, this.variables) = (state ?? temporary["state"], variables ?? new Dictionary<string, string?>());

    public string State { get; }

    public string Kubeconfig => Path.Combine(State, "kubeconfig");

    public string Objects => Path.Combine(State, "objects");

    /// <summary>For files that a test writes; gone with the plane.</summary>
    public TemporaryDirectory Files => temporary;

    /// <summary>Speaks to the API server as the plane's owner; takes paths without a slash in front.</summary>
    public HttpClient Http => (client ??= Connect(Kubeconfig)).HttpClient;

    public static async Task<LocalPlane> StartAsync(int nodes = 4, string gpus = "H100:8", string? state = null, bool withOperator = true, IReadOnlyDictionary<string, string?>? variables = null, params IReadOnlyList<string> more)
    {
        var plane = new LocalPlane(state, variables);
        try
        {
            string[] without = withOperator ? [] : ["--no-operator"];
            (await plane.TrestleAsync(["local", "up", "--detach", "--state", plane.State, "--nodes", nodes.ToString(CultureInfo.InvariantCulture), "--gpus", gpus, .. without, .. more])).ShouldExit(0);
        }
        catch (Exception error)
        {
            var logs = plane.Logs();
            await plane.DisposeAsync();
            throw new InvalidOperationException($"the plane did not start: {error.Message}\n{logs}", error);
        }

        return plane;
    }

    /// <summary>Runs `trestle ARGUMENTS` against this plane.</summary>
    public Task<CommandResult> TrestleAsync(params string[] arguments) => TrestleProgram.RunAsync(arguments, Environment());

    public Command StartTrestle(params string[] arguments) => TrestleProgram.Start(arguments, Environment());

    public Task<CommandResult> KubectlAsync(params string[] arguments) => Command.RunAsync("kubectl", arguments, Environment());

    public Command StartKubectl(params string[] arguments) => Command.Start("kubectl", arguments, Environment());

    /// <summary>GET of a path; null when there is no such object.</summary>
    public async Task<JsonNode?> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(new Uri(path, UriKind.Relative));
        if (answer.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync());
    }

    public Task<JsonNode?> TrainingJobAsync(string name) => GetAsync($"apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs/{name}");

    public Task<JsonNode?> JobGroupAsync(string name) => GetAsync($"apis/trestle.dev/v1alpha1/namespaces/default/jobgroups/{name}");

    public async Task<IReadOnlyList<JsonNode>> ListAsync(string path) => [.. (await GetAsync(path))?["items"]?.AsArray().OfType<JsonNode>() ?? []];

    /// <summary>The job or group once its phase is one of these.</summary>
    public Task<JsonNode> PhaseAsync(string plural, string name, string[] phases, TimeSpan? giveUp = null) =>
        Condition.ValueAsync($"{plural}/{name} is {string.Join(" or ", phases)}",
            async () => await GetAsync($"apis/trestle.dev/v1alpha1/namespaces/default/{plural}/{name}") is { } found
                && phases.Contains((string?)found["status"]?["phase"], StringComparer.Ordinal) ? found : null,
            giveUp, ExplainAsync);

    /// <summary>Waits with everything that explains a failure at hand.</summary>
    public Task UntilAsync(string what, Func<Task<bool>> ask, TimeSpan? giveUp = null) => Condition.UntilAsync(what, ask, giveUp, ExplainAsync);

    public int ProcessId(PlanePart part) =>
        int.Parse(File.ReadAllText(Path.Combine(State, "run", part.ToString().ToLowerInvariant() + ".pid")).Split()[0], CultureInfo.InvariantCulture);

    /// <summary>kill -9, and waits until the supervisor has put a new process in its place.</summary>
    public async Task KillAsync(PlanePart part)
    {
        var old = ProcessId(part);
        Processes.Signal(old, "KILL");
        await UntilAsync($"{part} was started anew", () => Task.FromResult(ProcessId(part) != old && Processes.IsRunning(ProcessId(part))));
    }

    /// <summary>User processes of the rank, by what is in their environment and on their command line.</summary>
    public IReadOnlyList<RunningProcess> RankProcesses(int rank, string program) =>
        [.. Processes.Naming(State).Where(process => process.CommandLine.Contains(program, StringComparison.Ordinal)
            && process.Has("TRESTLE_NODE_RANK", rank.ToString(CultureInfo.InvariantCulture)))];

    /// <summary>Objects, events and the ends of all logs: what one needs to see why.</summary>
    public async Task<string> ExplainAsync()
    {
        var text = new StringBuilder();
        string[] paths = ["apis/trestle.dev/v1alpha1/jobgroups", "apis/trestle.dev/v1alpha1/trainingjobs", "api/v1/pods", "api/v1/nodes", "api/v1/events"];
        foreach (var path in paths)
        {
            try
            {
                foreach (var item in await ListAsync(path))
                {
                    text.AppendLine(CultureInfo.InvariantCulture, $"{path[(path.LastIndexOf('/') + 1)..]}/{item["metadata"]?["name"]}: {(item["status"] ?? item["message"])?.ToJsonString()}");
                }
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{path}: {error.Message}");
            }
        }

        return text.Append(Logs()).ToString();
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        try
        {
            if (Directory.Exists(State))
            {
                (await TrestleAsync("local", "down", "--state", State, "--purge")).ShouldExit(0);
            }

            await Condition.UntilAsync("no process names the state directory", () => Processes.Naming(State).Count == 0, TimeSpan.FromSeconds(20),
                () => Task.FromResult(string.Join('\n', Processes.Naming(State))));
            if (Directory.Exists(State))
            {
                throw new InvalidOperationException($"local down --purge left {State}: {string.Join(", ", Directory.EnumerateFileSystemEntries(State))}");
            }
        }
        finally
        {
            foreach (var left in Processes.Naming(State))
            {
                Processes.Signal(left.Id, "KILL");
            }

            temporary.Dispose();
        }
    }

    // The client library adds the token to its own calls only.
    private static Kubernetes Connect(string kubeconfig)
    {
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
        var connected = new Kubernetes(configuration);
        connected.HttpClient.BaseAddress = connected.BaseUri;
        connected.HttpClient.DefaultRequestHeaders.Authorization = new("Bearer", configuration.AccessToken);
        return connected;
    }

    private string Logs()
    {
        var directory = Path.Combine(State, "logs");
        var text = new StringBuilder();
        foreach (var file in Directory.Exists(directory) ? Directory.GetFiles(directory).Order(StringComparer.Ordinal) : Enumerable.Empty<string>())
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"== {Path.GetFileName(file)}").AppendJoin('\n', File.ReadLines(file).TakeLast(25)).AppendLine();
        }

        return text.ToString();
    }

    private Dictionary<string, string?> Environment() => new(variables, StringComparer.Ordinal) { ["KUBECONFIG"] = Kubeconfig, ["NO_COLOR"] = "1" };
}
