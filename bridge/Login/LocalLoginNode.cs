using System.Diagnostics;

namespace Trestle.Bridge.Login;

/// <summary>Runs scripts as processes of this machine: by /bin/sh when the bridge is on the login node itself.</summary>
/// <param name="program">Program that reads a POSIX sh script from its stdin.</param>
/// <param name="arguments">Its arguments.</param>
internal sealed class LocalLoginNode(string program, IReadOnlyList<string> arguments) : ILoginNode
{
    /// <inheritdoc/>
    public async Task<CommandOutput> RunAsync(string script, CancellationToken ct)
    {
        using var process = new Process { StartInfo = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true } };
        try
        {
            process.Start();
            using var output = new MemoryStream();
            using var error = new MemoryStream();
            var reading = Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(output, ct), process.StandardError.BaseStream.CopyToAsync(error, ct));
            await process.StandardInput.WriteAsync(script.AsMemory(), ct);
            process.StandardInput.Close();
            await reading;
            await process.WaitForExitAsync(ct);
            return new CommandOutput(process.ExitCode, output.ToArray(), error.ToArray());
        }
        catch (Exception failure) when (failure is IOException or System.ComponentModel.Win32Exception)
        {
            throw new ContactLostException($"{program} can't be run here: {failure.Message}", failure);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
