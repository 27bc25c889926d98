using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>Up, down, up again: jobs stay on record, nothing runs on.</summary>
public sealed class PlaneLifecycleTests
{
    [Fact]
    public async Task Jobs_stay_on_record_over_down_and_up()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 1);
        (await plane.TrestleAsync("launch", "--name", "kept", "--wait", "--", "echo", "hello")).ShouldExit(0);
        (await plane.TrestleAsync("local", "up", "--detach", "--state", plane.State)).ShouldExit(0).Out.ShouldContain("already running");

        (await plane.TrestleAsync("local", "down", "--state", plane.State)).ShouldExit(0);
        await Condition.UntilAsync("nothing runs", () => Processes.Naming(plane.State).Count == 0);
        (await plane.TrestleAsync("local", "up", "--detach", "--state", plane.State)).ShouldExit(0);

        (await plane.TrestleAsync("history")).ShouldExit(0).Out.ShouldContain("kept");
        (await plane.TrestleAsync("logs", "kept")).ShouldExit(0).Out.ShouldContain("hello");
    }

    [Fact]
    public async Task A_killed_supervisor_leaves_nothing_that_down_does_not_clean()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 1);
        (await plane.TrestleAsync("launch", "--name", "sleeper", "--", "sleep", "1000")).ShouldExit(0);
        await plane.PhaseAsync("trainingjobs", "sleeper", ["Running"]);
        Processes.Signal(plane.ProcessId(PlanePart.Supervisor), "KILL");
        // Disposing runs `local down --purge` and asserts that no process is left.
    }

    [Fact]
    public async Task Waiting_for_a_job_ends_with_its_exit_code()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 1);
        (await plane.TrestleAsync("launch", "--name", "seven", "--wait", "--", "sh", "-c", "exit 7")).ExitCode.ShouldBe(7);
        var shown = (await plane.TrestleAsync("describe", "seven")).ShouldExit(0).Out;
        shown.ShouldContain("Failed");
        shown.ShouldContain("7");
    }
}
