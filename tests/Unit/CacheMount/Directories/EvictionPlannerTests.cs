using CsCheck;
using Trestle.CacheMount.Directories;

namespace Trestle.CacheMount.Tests.Directories;

public sealed class EvictionPlannerTests
{
    private static readonly Gen<CachedFile[]> Files = Gen.Select(Gen.Long[0, 100], Gen.Long[0, 9], Gen.Bool, Gen.Bool, Gen.Bool,
        (bytes, used, clean, open, wanted) => new CachedFile("", bytes, used, clean, open, wanted)).Array[0, 20]
        .Select(files => files.Select((file, index) => file with { Path = $"f{index}" }).ToArray());

    [Fact]
    public void What_is_dirty_or_open_never_goes() =>
        Gen.Select(Files, Gen.Long[0, 500], Gen.Long[0, 500]).Sample((files, high, low) =>
            EvictionPlanner.Plan(files, high, low).All(path => files.Single(file => file.Path == path) is { IsClean: true, IsOpen: false }));

    [Fact]
    public void It_goes_down_to_the_low_mark_and_no_further_than_one_file() =>
        Gen.Select(Files, Gen.Long[0, 500], Gen.Long[0, 500]).Sample((files, high, low) =>
        {
            var going = EvictionPlanner.Plan(files, high, low);
            var left = files.Sum(file => file.Bytes) - files.Where(file => going.Contains(file.Path)).Sum(file => file.Bytes);
            if (files.Sum(file => file.Bytes) <= high) going.ShouldBeEmpty();
            else if (left > low) files.Where(file => !going.Contains(file.Path)).ShouldAllBe(file => !file.IsClean || file.IsOpen || file.Bytes == 0);
            if (going.Count > 0) (left + files.Single(file => file.Path == going[^1]).Bytes).ShouldBeGreaterThan(low);
        });

    [Fact]
    public void The_least_recently_used_goes_first_and_the_wanted_last() =>
        EvictionPlanner.Plan([new("new", 10, 3, true, false, false), new("wanted", 10, 0, true, false, true), new("old", 10, 1, true, false, false), new("open", 10, 0, true, true, false)], 0, 0)
            .ShouldBe(["old", "new", "wanted"]);
}
