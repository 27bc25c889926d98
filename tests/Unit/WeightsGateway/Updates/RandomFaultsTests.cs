using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Tests.Fakes;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

/// <summary>
/// Trainers, replicas and gateways that do and suffer anything in any order, in virtual time. What must hold: no replica gets a request
/// that it would answer with mixed weights or with older ones than were served before; no pause is left behind; servingVersion moves
/// only when all in rotation serve it; ranks are disjoint and without a hole; and a whole update heals all that can be healed.
/// </summary>
public sealed class RandomFaultsTests
{
    private const int Replicas = 3;

    private static readonly Gen<Step[]> Steps = Gen.Select(Gen.Frequency(
            (6, Gen.Const(Deed.Push)), (2, Gen.Const(Deed.Init)), (2, Gen.Const(Deed.Pause)), (2, Gen.Const(Deed.Start)), (2, Gen.Const(Deed.Update)), (2, Gen.Const(Deed.Finish)), (1, Gen.Const(Deed.Resume)),
            (1, Gen.Const(Deed.Restart)), (1, Gen.Const(Deed.Scale)), (1, Gen.Const(Deed.Round)), (1, Gen.Const(Deed.Wait)), (1, Gen.Const(Deed.KillGateway)), (1, Gen.Const(Deed.BoardFails)), (6, Gen.Const(Deed.Fault))),
        Gen.Int[0, Replicas - 1], Gen.Int[0, 25], Gen.Enum<SimFault>(), (deed, replica, after, fault) => new Step(deed, replica, after, fault)).Array[1, 25];

    [Fact]
    public async Task Whatever_happens_no_wrong_weights_are_served_and_no_pause_is_left_behind() =>
        await Steps.SampleAsync(async steps =>
        {
            using var run = new Run();
            await run.AllAsync(steps);
        }, iter: 300, threads: 1);

    private enum Deed
    {
        Push,
        Init,
        Pause,
        Start,
        Update,
        Finish,
        Resume,
        Restart,
        Scale,
        Round,
        Wait,
        KillGateway,
        BoardFails,
        Fault,
    }

    private sealed record Step(Deed Deed, int Replica, int After, SimFault Fault);

    private sealed class Run : IDisposable
    {
        private readonly SimWorld _world = new(Replicas);
        private int _version;
        private int _newestServed;
        private int _calls;
        private (SimFault Fault, int Replica) _armed;

        public void Dispose() => _world.Dispose();

        public async Task AllAsync(IReadOnlyList<Step> steps)
        {
            _world.Strike = (engine, call) =>
            {
                Check();
                _trace.Add($"{_world.Board.State?.Weights.Phase} {engine.Name} {call} {(engine.IsMixed ? "mixed" : "")}");
                if (_armed.Fault == SimFault.None || call is "load" || _calls-- > 0) return SimFault.None;
                var fault = _armed.Fault;
                _armed = default;
                _trace.Add($"  {fault}");
                return fault;
            };
            _world.Board.Written = state =>
            {
                Check();
                if (state.Weights.Phase == "Idle" && state.Weights.ServingVersion is { } serving && state.Replicas.Any(one => one.State == "Ready") && serving != _lastServing)
                {
                    state.Replicas.Where(one => one.State == "Ready").ShouldAllBe(one => one.Version == serving);
                    _lastServing = serving;
                }
            };
            await TryAsync(_world.RecoverAsync);
            foreach (var step in steps)
            {
                _trace.Add($"> {step}");
                await TryAsync(() => DoAsync(step));
                Check();
            }

            await HealAsync();
        }

        private readonly List<string> _trace = [];
        private string? _lastServing;

        private async Task DoAsync(Step step)
        {
            switch (step.Deed)
            {
                case Deed.Push:
                    if (_world.Updates.State.Group is null) await InitAsync();
                    await _world.PushAsync(Next());
                    break;
                case Deed.Init:
                    await InitAsync();
                    break;
                case Deed.Pause:
                    await _world.RunAsync(() => _world.Updates.PauseAsync((PauseMode)step.Replica, clearCache: true));
                    break;
                case Deed.Start:
                    await _world.RunAsync(_world.Updates.StartAsync);
                    break;
                case Deed.Update:
                    await _world.UpdateAsync();
                    break;
                case Deed.Finish:
                    await _world.RunAsync(() => _world.Updates.FinishAsync(Next()));
                    break;
                case Deed.Resume:
                    await _world.RunAsync(_world.Updates.ResumeAsync);
                    break;
                case Deed.Restart:
                    await LooseAsync(step.Replica);
                    _world.Restart(step.Replica);
                    break;
                case Deed.Scale:
                    if (_world.Count <= Replicas) _world.Add(Replicas);
                    else _world.Remove(Replicas);
                    break;
                case Deed.Round:
                    await _world.RoundAsync();
                    break;
                case Deed.Wait:
                    await _world.RoundsAsync(TimeSpan.FromSeconds(step.After * 30));
                    break;
                case Deed.KillGateway:
                    throw new GatewayDiedException();
                case Deed.BoardFails:
                    _world.Board.Failing = step.Replica;
                    break;
                default:
                    (_calls, _armed) = (step.After, (step.Fault, step.Replica));
                    break;
            }
        }

        // An engine that dies is seen to be dead before it has loaded its model again.
        private async Task LooseAsync(int replica)
        {
            _world[replica].IsAlive = false;
            await _world.RoundAsync();
        }

        private async Task InitAsync()
        {
            await _world.InitAsync();
            var joined = _world.Engines.Where(engine => engine.IsAlive && engine.Joined is not null && _world.Updates.State.Group!.Members.Any(one => one.Name == engine.Name)).Select(engine => engine.Joined!.Value).OrderBy(one => one.Offset).ToList();
            joined.Select(one => one.Offset).ShouldBe(Enumerable.Range(1, joined.Count));
            joined.ShouldAllBe(one => one.World == joined.Count + 1);
        }

        private async Task TryAsync(Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (RefusalException)
            {
                // The trainer is told; what must hold, holds.
            }
            catch (GatewayDiedException)
            {
                _world.Start();
                await TryAsync(_world.RecoverAsync);
            }
        }

        private string Next() => (++_version).ToString();

        private void Check()
        {
            foreach (var member in _world.Fleet.Rotation)
            {
                var engine = _world.Engines.FirstOrDefault(one => one.Name == member.Name);
                if (engine is not { IsAlive: true, IsPaused: false } || engine != member.Engine) continue;
                engine.IsMixed.ShouldBeFalse($"{engine.Name} answers with mixed weights\n{string.Join('\n', _trace.TakeLast(90))}");
                var version = engine.Version == "default" ? 0 : int.Parse(engine.Version);
                version.ShouldBeGreaterThanOrEqualTo(_newestServed, $"{engine.Name} answers with old weights\n{string.Join('\n', _trace.TakeLast(90))}");
                _newestServed = version;
            }
        }

        private async Task HealAsync()
        {
            (_armed, _world.Board.Failing) = (default, 0);
            foreach (var ordinal in Enumerable.Range(0, _world.Count).Where(ordinal => !_world[ordinal].IsAlive)) _world.Restart(ordinal);
            await TryAsync(() => _world.RoundsAsync(_world.Rules.TransferLimit + _world.Rules.ResumeLimit + TimeSpan.FromSeconds(60)));
            await TryAsync(_world.RoundAsync);
            foreach (var member in _world.Fleet.Members.Where(member => member.State != ReplicaState.Quarantined)) ((SimEngine)member.Engine).IsPaused.ShouldBeFalse($"{member.Name} is left paused as {member.State}");

            foreach (var member in _world.Fleet.Members.Where(member => member.HasHadItsChance).ToList()) _world.Restart(member.Replica.Ordinal);
            await _world.RoundAsync();
            await InitAsync();
            await _world.PushAsync(Next());
            await _world.RoundAsync();
            _world.Fleet.Rotation.Count.ShouldBe(_world.Count);
            _world.Engines.ShouldAllBe(engine => engine.Version == _version.ToString() && !engine.IsPaused && !engine.IsMixed);
            _world.Board.State!.Weights.ServingVersion.ShouldBe(_version.ToString());
            Check();
        }
    }
}
