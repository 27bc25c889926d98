using System.Text;

namespace Trestle.Cli.Tests.Commands;

/// <summary>A terminal made of strings.</summary>
internal sealed class CapturedHost
{
    private readonly StringBuilder _out = new();
    private readonly StringBuilder _error = new();

    public CapturedHost(string? directory = null, IReadOnlyDictionary<string, string>? variables = null, string input = "") =>
        Host = new CliHost
        {
            Out = TextWriter.Synchronized(new StringWriter(_out)),
            Error = TextWriter.Synchronized(new StringWriter(_error)),
            In = new StringReader(input),
            Variables = variables ?? new Dictionary<string, string>(),
            WorkingDirectory = directory ?? Path.GetTempPath(),
        };

    public CliHost Host { get; init; }

    public string OutText => _out.ToString();

    public string ErrorText => _error.ToString();

    public string[] OutLines => OutText.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public Task<int> RunAsync(params string[] args) => CliProgram.RunAsync(args, Host, TestContext.Current.CancellationToken);
}
