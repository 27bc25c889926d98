using System.Text.Json.Nodes;
using Trestle.Local.Plane.Slurm;

namespace Trestle.Local.Plane.Tests.Slurm;

public sealed class SlurmClusterObjectsTests
{
    [Fact]
    public void A_cluster_by_ssh_has_its_key_and_pins_in_secrets_and_names_them()
    {
        var directory = Directory.CreateTempSubdirectory("trestle-objects-").FullName;
        try
        {
            var (key, pins) = (Path.Combine(directory, "key"), Path.Combine(directory, "pins"));
            File.WriteAllText(key, "secret");
            File.WriteAllText(pins, "pinned");
            var objects = SlurmClusterObjects.Of(new SlurmAttachment { Name = "alps", Host = "login", User = "alice", KeyFile = key, KnownHostsFile = pins, Partition = "gpu", JumpHosts = ["gate"], WorkRoot = "/shared" }).ToList();
            objects.Select(one => one.Path).ShouldBe(["/api/v1/namespaces/trestle-system/secrets/slurm-alps-key", "/api/v1/namespaces/trestle-system/secrets/slurm-alps-hosts", "/apis/trestle.dev/v1alpha1/slurmclusters/alps"]);
            objects[0].Object["data"]!["ssh-privatekey"]!.GetValue<string>().ShouldBe(Convert.ToBase64String("secret"u8));
            objects[2].Object["spec"]!.ToJsonString().ShouldBe("""{"ssh":{"host":"login","port":22,"jumpHosts":["gate"],"knownHostsSecretRef":{"name":"slurm-alps-hosts"}},"users":[{"namespaces":["default"],"user":"alice","keySecretRef":{"name":"slurm-alps-key"}}],"defaults":{"partition":"gpu"},"workRoot":"/shared"}""");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_key_that_is_gone_is_told_with_what_to_give() =>
        Should.Throw<PlaneException>(() => SlurmClusterObjects.Of(new SlurmAttachment { Name = "alps", Host = "login", User = "alice", KeyFile = "/nonexistent/key" }).ToList())
            .Message.ShouldContain("?key=FILE");

    [Fact]
    public void A_cluster_on_this_machine_needs_no_secret() =>
        SlurmClusterObjects.Of(new SlurmAttachment { Name = "here", User = "me" }).ShouldHaveSingleItem().Object["spec"]!["ssh"]!.ToJsonString().ShouldBe("""{"host":"localhost","port":22}""");

    [Fact]
    public void What_was_found_is_said_in_one_line()
    {
        var cluster = JsonNode.Parse("""
            {"status":{"reachable":true,"version":"22.05.8","partitions":[
              {"name":"gpu","nodes":4,"state":"up","gpus":{"type":"h100","total":32,"free":24}},
              {"name":"cpu","nodes":1,"state":"down"}]}}
            """)!.AsObject();
        SlurmClusterFacts.Summary(cluster).ShouldBe("Slurm 22.05.8, gpu: 4 nodes, 24 of 32 h100 free; cpu: 1 node, down");
        SlurmClusterFacts.IsReachable(cluster).ShouldBe(true);
        SlurmClusterFacts.Summary(JsonNode.Parse("""{"status":{"version":"22.05.8"}}""")!.AsObject()).ShouldBe("Slurm 22.05.8, no partitions");
    }
}
