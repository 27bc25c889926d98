using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Merges two lists with identities so that both orders are kept where they agree, and the applied order wins where not.</summary>
internal static class ListMerge
{
    public static JsonArray Merge(JsonArray live, JsonArray applied, TypeSchema type)
    {
        var left = live.Select((item, i) => PathElement.OfItem(type, item, i)).ToList();
        var right = applied.Select((item, i) => PathElement.OfItem(type, item, i)).ToList();
        var (leftItems, rightItems) = (TypedWalk.Index(live, type), TypedWalk.Index(applied, type));
        var shared = new Queue<PathElement>(right.Where(leftItems.ContainsKey));
        var done = new HashSet<PathElement>();
        var merged = new JsonArray();
        PathElement? next = shared.TryDequeue(out var first) ? first : null;

        for (int l = 0, r = 0; l < left.Count || r < right.Count;)
        {
            if (l < left.Count && r < right.Count)
            {
                var element = left[l];
                if (element == right[r])
                {
                    TakeApplied(element, applied[r]);
                    l++;
                    r++;
                    continue;
                }

                if (rightItems.ContainsKey(element) && next is not null && next != element)
                {
                    l++;
                    continue;
                }
            }

            if (l < left.Count)
            {
                if (!rightItems.ContainsKey(left[l]))
                {
                    merged.Add(live[l]?.DeepClone());
                    l++;
                    continue;
                }

                if (done.Contains(left[l])) l++;
            }

            if (r < right.Count)
            {
                TakeApplied(right[r], applied[r]);
                r++;
            }
        }

        return merged;

        void TakeApplied(PathElement element, JsonNode? item)
        {
            var mine = leftItems.TryGetValue(element, out var items) && items.Count == 1 && done.Add(element) ? items[0] : null;
            done.Add(element);
            merged.Add(mine is null ? item?.DeepClone() : TypedWalk.Merge(mine, item, type.Element ?? TypeSchema.Deduced));
            if (next == element) next = shared.TryDequeue(out var following) ? following : null;
        }
    }
}
