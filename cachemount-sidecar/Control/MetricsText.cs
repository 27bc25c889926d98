using System.Globalization;
using System.Text;

namespace Trestle.CacheMount.Control;

/// <summary>The status as Prometheus reads it.</summary>
internal static class MetricsText
{
    /// <summary>Lines of the text format.</summary>
    public static string Of(MountStatus status)
    {
        var text = new StringBuilder();
        Gauge("trestle_cachemount_dirty_bytes", "Bytes closed and not in the store", status.PendingBytes);
        Gauge("trestle_cachemount_dirty_files", "Files closed and not in the store", status.PendingFiles);
        Gauge("trestle_cachemount_open_files", "Files being written", status.OpenFiles);
        Gauge("trestle_cachemount_parts_in_flight", "Parts under way", status.PartsUnderWay);
        Gauge("trestle_cachemount_cache_used_bytes", "Bytes of the cache", status.Space.Used);
        Gauge("trestle_cachemount_disk_free_bytes", "Bytes free on the disk of the cache", status.Space.Free);
        Gauge("trestle_cachemount_visible_delay_seconds", "From close to visible, of the last file", status.LastDelaySeconds);
        Gauge("trestle_cachemount_journal_sync_seconds", "How long the last sync of the journal took", status.JournalSyncSeconds);
        Counter("trestle_cachemount_stored_bytes_total", "Bytes that the store has taken", status.StoredBytes);
        Counter("trestle_cachemount_stored_files_total", "Files that became visible", status.StoredFiles);
        Counter("trestle_cachemount_rescan_repairs_total", "Changes that no event had told", status.RescanRepairs);
        Gauge("trestle_cachemount_conflicts", "Files that somebody else has written too, kept beside the other's", status.Conflicts.Count);
        text.Append("# HELP trestle_cachemount_retries_total Tries that failed, by code\n# TYPE trestle_cachemount_retries_total counter\n");
        foreach (var (code, count) in status.Retries.OrderBy(retry => retry.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"trestle_cachemount_retries_total{{code=\"{string.Concat(code.Where(char.IsLetterOrDigit))}\"}} {count}\n");
        }

        return text.ToString();

        void Gauge(string name, string help, double value) => Metric(name, help, "gauge", value);

        void Counter(string name, string help, double value) => Metric(name, help, "counter", value);

        void Metric(string name, string help, string type, double value) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value}\n");
    }
}
