using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class TraceExportTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_trace_of_a_job_arrives_at_a_collector()
    {
        var bodies = Channel.CreateUnbounded<(string Path, string? Type, byte[] Body)>();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            await bodies.Writer.WriteAsync((context.Request.Path, context.Request.ContentType, body.ToArray()));
        });
        await collector.StartAsync(Ct);
        string uid;
        using (TraceExport.Open(Environment(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.First()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"))).ShouldNotBeNull())
        {
            var life = await new JobLife(AJob.Named("exported").Restarts(1), new JobSpans(TimeProvider.System).Observe).LiveAsync();
            uid = life.Job.Metadata.Uid;
        }

        var (path, type, sent) = await bodies.Reader.ReadAsync(Ct);

        (path, type).ShouldBe(("/v1/traces", "application/x-protobuf"));
        var (trace, root) = (new byte[16], new byte[8]);
        JobTrace.Root(uid).TraceId.CopyTo(trace);
        JobTrace.Root(uid).SpanId.CopyTo(root);
        Count(sent, trace).ShouldBe(10);

        // As the parent of nine, and as the root's own.
        Count(sent, root).ShouldBe(10);
        foreach (var text in (string[])["trainingjob", "Starting", "Restarting", "exported", "trestle-operator"]) Count(sent, System.Text.Encoding.UTF8.GetBytes(text)).ShouldBeGreaterThan(0, text);
    }

    [Fact]
    public void Without_an_endpoint_nobody_listens() => TraceExport.Open(Environment()).ShouldBeNull();

    [Fact]
    public void An_endpoint_that_is_none_is_refused_without_being_told_again() =>
        Should.Throw<InvalidOperationException>(() => TraceExport.Open(Environment(("OTEL_EXPORTER_OTLP_ENDPOINT", "user:secret@collector"))))
            .Message.ShouldBe("OTEL_EXPORTER_OTLP_ENDPOINT must be an address such as http://127.0.0.1:4318");

    private static IConfiguration Environment(params (string Name, string Value)[] variables) =>
        new ConfigurationBuilder().AddInMemoryCollection(variables.Select(variable => KeyValuePair.Create<string, string?>(variable.Name, variable.Value))).Build();

    private static int Count(ReadOnlySpan<byte> body, ReadOnlySpan<byte> wanted)
    {
        var count = 0;
        for (var at = body.IndexOf(wanted); at >= 0; at = body.IndexOf(wanted))
        {
            count++;
            body = body[(at + wanted.Length)..];
        }

        return count;
    }
}
