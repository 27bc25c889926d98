using System.Globalization;
using Trestle.WeightsGateway.Filtering;

namespace Trestle.WeightsGateway.Engines;

/// <summary>Says which gateway asks.</summary>
internal sealed class TermHeader(HttpMessageHandler inner, Func<long> term) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation(TermGuard.Header, term().ToString(CultureInfo.InvariantCulture));
        return base.SendAsync(request, cancellationToken);
    }
}
