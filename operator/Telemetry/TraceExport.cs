using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Trestle.Operator.Telemetry;

/// <summary>Sends spans by OTLP, as the standard variables of OpenTelemetry say.</summary>
internal static class TraceExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    /// <summary>Null when no endpoint is set: then nobody listens, and spans are not even made. Disposed, it sends what waits, for 5 s at most.</summary>
    /// <param name="environment">The environment variables.</param>
    /// <exception cref="InvalidOperationException">A variable holds what can't be used.</exception>
    public static IDisposable? Open(IConfiguration environment)
    {
        if (string.IsNullOrWhiteSpace(environment[Endpoint]) && string.IsNullOrWhiteSpace(environment[TracesEndpoint])) return null;
        foreach (var name in (string[])[Endpoint, TracesEndpoint])
        {
            if (environment[name] is { Length: > 0 } text && !(Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
                throw new InvalidOperationException($"{name} must be an address such as http://127.0.0.1:4318");
        }

        // Last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
        var resource = ResourceBuilder.CreateEmpty().AddService("trestle-operator").AddTelemetrySdk().AddEnvironmentVariableDetector();
        return Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(environment))
            .SetResourceBuilder(resource)
            .AddSource(JobSpans.SourceName)
            .AddOtlpExporter()
            .Build();
    }
}
