using Microsoft.Extensions.Logging;

namespace Trestle.WeightsGateway;

/// <summary>Log lines of the gateway.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(600, LogLevel.Information, "gateway of {Service} starts: requests at {Public}, weights at {Weights}, health at {Health}")]
    public static partial void Starting(ILogger log, string service, string @public, string weights, string health);

    [LoggerMessage(601, LogLevel.Information, "filter starts: public routes at {Public}, control routes at {Control}")]
    public static partial void FilterStarting(ILogger log, string @public, string control);

    [LoggerMessage(610, LogLevel.Information, "epoch {Epoch}: {Replicas} replicas and the trainer, {WorldSize} ranks")]
    public static partial void Joined(ILogger log, long epoch, int replicas, int worldSize);

    [LoggerMessage(611, LogLevel.Information, "version {Version}: {Replicas} replicas serve it, {Failed} failed")]
    public static partial void Updated(ILogger log, string version, int replicas, int failed);

    [LoggerMessage(612, LogLevel.Warning, "update given up: {Why}")]
    public static partial void Abandoned(ILogger log, string why);

    [LoggerMessage(613, LogLevel.Warning, "{Replica} is out of rotation: {Why}")]
    public static partial void Quarantined(ILogger log, string replica, string why);

    [LoggerMessage(614, LogLevel.Warning, "phase {Phase} could not be written: {Message}")]
    public static partial void NotWritten(ILogger log, string phase, string message);

    [LoggerMessage(615, LogLevel.Warning, "{Replica} was paused and nobody was going to resume it; it is resumed")]
    public static partial void Reclaimed(ILogger log, string replica);

    [LoggerMessage(616, LogLevel.Information, "after a restart: phase {Phase}, {Step} for {Replica}")]
    public static partial void Recovering(ILogger log, string phase, string step, string replica);

    [LoggerMessage(617, LogLevel.Warning, "{Replica}: requests run and no token has come for {Seconds} s")]
    public static partial void Stalled(ILogger log, string replica, double seconds);

    [LoggerMessage(618, LogLevel.Warning, "version {Version} can't be read from its storage: {Why}")]
    public static partial void NotLoaded(ILogger log, string version, string why);

    [LoggerMessage(619, LogLevel.Warning, "another gateway has taken over from term {Term}: clients are still answered, replicas are no longer driven from here")]
    public static partial void TakenOver(ILogger log, long term);

    [LoggerMessage(621, LogLevel.Warning, "readyMarker of {Uri} can't be seen from the gateway: the version is taken as it is declared")]
    public static partial void MarkerUnseen(ILogger log, string uri);

    [LoggerMessage(620, LogLevel.Error, "a round of looking after replicas broke; the next one begins anew")]
    public static partial void RoundBroke(ILogger log, Exception error);
}
