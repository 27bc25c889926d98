using System.Security.Cryptography;
using System.Text;

namespace Trestle.Bridge.Login;

/// <summary>
/// A script as it is sent, with marks of its own around what it writes: what a login shell says before is not its output,
/// and an answer without the closing mark was cut off.
/// </summary>
internal sealed class ScriptFrame
{
    private const int MarkBytes = 16;

    private ScriptFrame(string mark, byte[] input)
    {
        Opening = Encoding.ASCII.GetBytes($"{mark}<");
        Closing = Encoding.ASCII.GetBytes($"{mark}>");
        Input = input;
    }

    /// <summary>Stands before the output of the script, on stdout and on stderr.</summary>
    public ReadOnlyMemory<byte> Opening { get; }

    /// <summary>Stands after it, and then the exit code and a full stop.</summary>
    public ReadOnlyMemory<byte> Closing { get; }

    /// <summary>What goes to the stdin of sh.</summary>
    public ReadOnlyMemory<byte> Input { get; }

    /// <exception cref="ArgumentException">The script holds a NUL or half a character, which a shell would not get as it is.</exception>
    public static ScriptFrame Around(string script)
    {
        if (script.Contains('\0')) throw new ArgumentException("a script can't hold a NUL character", nameof(script));
        var mark = RandomNumberGenerator.GetHexString(MarkBytes * 2, lowercase: true);
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        return new ScriptFrame(mark, strict.GetBytes(Wrapped(script, mark)));
    }

    // The braces make it all or nothing: a shell that did not get the last line finds a syntax error and runs none of it.
    // A subshell, so that the script's `exit` and `set` end with it; no stdin, so that a command can't eat what follows.
    // The shell stays until it hears that nothing follows: were its channel closed before that word, the word would come for a
    // channel that sshd no longer has, and sshd hangs up on all channels of a connection then.
    private static string Wrapped(string script, string mark) => $$"""
        {
        printf '%s' '{{mark}}<'; printf '%s' '{{mark}}<' >&2
        (eval '{{script.Replace("'", @"'\''")}}') </dev/null
        trestle_code=$?
        printf '%s%d.' '{{mark}}>' "$trestle_code"; printf '%s%d.' '{{mark}}>' "$trestle_code" >&2
        while read -r trestle_rest; do :; done
        exit 0
        }

        """;
}
