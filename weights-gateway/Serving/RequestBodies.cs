using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Trestle.WeightsGateway.Hosting;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Serving;

/// <summary>Bodies of requests that have no answer yet, within a bound for all of them together.</summary>
/// <param name="most">The bound, in bytes.</param>
public sealed class RequestBodies(long most)
{
    private const int Piece = 64 * 1024;
    private long _held;

    /// <summary>Bytes that are held now.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Reads it whole; null when there is none.</summary>
    /// <param name="context">The request.</param>
    /// <param name="longest">Longest body, in bytes.</param>
    /// <exception cref="RefusalException">There is no room for it now.</exception>
    /// <exception cref="BadHttpRequestException">It is too long or breaks off.</exception>
    public async Task<RequestBody?> ReadAsync(HttpContext context, long longest)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.ContentLength is null or 0 && context.Request.Headers.TransferEncoding.Count == 0) return null;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = longest;

        // Before a byte of it has come, so that nobody sends what is refused. Room is taken for what came, not for what is announced.
        if (context.Request.ContentLength is { } length && length <= longest && length > most - Held) throw Full();
        var body = new RequestBody(this);
        try
        {
            body.Bytes = await ReadAsync(context, body);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    internal void Take(long bytes)
    {
        var held = Interlocked.Add(ref _held, bytes);
        if (held > most)
        {
            Interlocked.Add(ref _held, -bytes);
            throw Full();
        }

        GatewayMeter.Holds(held);
    }

    internal void Give(long bytes) => GatewayMeter.Holds(Interlocked.Add(ref _held, -bytes));

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext context, RequestBody body)
    {
        using var whole = new MemoryStream();
        var piece = new byte[Piece];
        for (var read = await context.Request.Body.ReadAsync(piece, context.RequestAborted); read > 0; read = await context.Request.Body.ReadAsync(piece, context.RequestAborted))
        {
            body.Grow(read);
            await whole.WriteAsync(piece.AsMemory(0, read), context.RequestAborted);
        }

        return whole.GetBuffer().AsMemory(0, (int)whole.Length);
    }

    private RefusalException Full()
    {
        GatewayMeter.Refused();
        return new RefusalException(StatusCodes.Status503ServiceUnavailable, $"requests that wait for an answer hold {Held} of the {most} bytes that are kept for them; try again later");
    }
}
