using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Testing.Engine;

/// <summary>
/// One rank of a transfer group over TCP, a JSON object a line. The rank says {rank, world_size}; rank 0 answers {ok} when all
/// are there. For every update rank 0 sends {weights} to all and waits until each has said {done}.
/// </summary>
public sealed class RankConnection : IDisposable
{
    private readonly TcpClient _client;
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;

    private RankConnection(TcpClient client)
    {
        _client = client;
        _reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        _writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
    }

    /// <summary>Joins; complete when all ranks have joined.</summary>
    /// <exception cref="IOException">The trainer went away.</exception>
    public static async Task<RankConnection> JoinAsync(string address, int port, int rank, int worldSize, CancellationToken ct)
    {
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address, port, ct);
            var joined = new RankConnection(client);
            await joined.SayAsync(new JsonObject { ["rank"] = rank, ["world_size"] = worldSize }, ct);
            var answer = await joined.HearAsync(ct);
            return (bool?)answer["ok"] == true ? joined : throw new IOException($"rank {rank} was refused: {answer["error"]}");
        }
        catch (Exception error) when (error is not IOException)
        {
            client.Dispose();
            throw error is SocketException ? new IOException($"rank {rank} can't reach the trainer: {error.Message}", error) : error;
        }
    }

    /// <summary>Takes over an accepted connection.</summary>
    public static RankConnection Accepted(TcpClient client) => new(client);

    /// <summary>Writes one line.</summary>
    public Task SayAsync(JsonObject line, CancellationToken ct) => _writer.WriteLineAsync(line.ToJsonString().AsMemory(), ct);

    /// <summary>Reads one line.</summary>
    /// <exception cref="IOException">The other side went away.</exception>
    public async Task<JsonObject> HearAsync(CancellationToken ct) =>
        JsonNode.Parse(await _reader.ReadLineAsync(ct) ?? throw new IOException("the other side of the transfer went away"))!.AsObject();

    public void Dispose()
    {
        _client.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }
}
