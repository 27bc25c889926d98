using System.Globalization;

namespace Trestle.Bench.Weights;

/// <summary>Counts answers that hold a token of an older version than was served by all when they were asked for.</summary>
internal sealed class AnswerWatch
{
    private int _published;
    private int _older;

    public int Older => Volatile.Read(ref _older);

    public void Published(int version) => Volatile.Write(ref _published, version);

    public Action<string> Ask()
    {
        var least = Volatile.Read(ref _published);
        return text =>
        {
            if (text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(token => Version(token) < least)) Interlocked.Increment(ref _older);
        };
    }

    // Mixed weights are older than any.
    private static int Version(string token) => token == "default" ? 0 : int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1;
}
