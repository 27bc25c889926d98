namespace Trestle.WeightsGateway.Engines;

/// <summary>vLLM's routes by name, as it has them under VLLM_SERVER_DEV_MODE=1.</summary>
public static class EngineRoutes
{
    public const string Health = "/health";
    public const string Metrics = "/metrics";
    public const string Pause = "/pause";
    public const string Resume = "/resume";
    public const string IsPaused = "/is_paused";
    public const string Init = "/init_weight_transfer_engine";
    public const string Start = "/start_weight_update";
    public const string Update = "/update_weights";
    public const string Finish = "/finish_weight_update";
    public const string NameVersion = "/update_weight_version";
    public const string WeightInfo = "/weight_info";
    public const string WorldSize = "/get_world_size";
    public const string ResetPrefixCache = "/reset_prefix_cache";
    public const string CollectiveRpc = "/collective_rpc";

    /// <summary>Control routes whose answer does not depend on the replica: they are sent to all and the first answer is given.</summary>
    public static readonly IReadOnlySet<string> SentToAll = new HashSet<string>(StringComparer.Ordinal)
    {
        ResetPrefixCache, "/reset_mm_cache", "/reset_encoder_cache", "/sleep", "/wake_up", "/is_sleeping", "/abort_requests", "/server_info", CollectiveRpc,
    };

    /// <summary>All routes of the control port.</summary>
    public static readonly IReadOnlySet<string> Control = new HashSet<string>(SentToAll, StringComparer.Ordinal)
    {
        Health, Metrics, Pause, Resume, IsPaused, Init, Start, Update, Finish, NameVersion, WeightInfo, WorldSize, "/start_draft_weight_update", "/weight_checker", "/version",
    };
}
