using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.EndToEnd.Tests;

/// <summary>Storages of an S3 server on a plane.</summary>
internal static class BucketObjects
{
    /// <summary>Makes the Secret and the Storage.</summary>
    public static async Task MakeAsync(LocalPlane plane, FaultyS3 server, string name, string bucket = FaultyS3.Bucket, string prefix = "")
    {
        await CreateAsync(plane, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = name + "-s3" },
            ["stringData"] = new JsonObject { ["AWS_ACCESS_KEY_ID"] = FaultyS3.AccessKey, ["AWS_SECRET_ACCESS_KEY"] = FaultyS3.SecretKey },
        });
        await CreateAsync(plane, new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "Storage",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["s3"] = new JsonObject { ["bucket"] = bucket, ["prefix"] = prefix, ["endpoint"] = server.Endpoint.AbsoluteUri, ["pathStyle"] = true, ["credentialsSecretRef"] = new JsonObject { ["name"] = name + "-s3" } },
            },
        });
    }

    /// <summary>An object as text.</summary>
    public static string Text(FaultyS3 server, string key) => Encoding.UTF8.GetString(server.Objects[key].ShouldNotBeNull($"there is no {key}").Bytes);

    /// <summary>Every checkpoint that is listed is there as its manifest says.</summary>
    /// <returns>How many are steps.</returns>
    public static int ShouldReadBack(FaultyS3 server)
    {
        var listed = server.Objects.Keys.Where(key => key.StartsWith(".trestle/checkpoints/", StringComparison.Ordinal)).ToList();
        foreach (var file in listed.SelectMany(key => JsonNode.Parse(Text(server, key))!["files"]!.AsArray()))
        {
            var stored = server.Objects[(string)file!["path"]!].ShouldNotBeNull();
            (stored.Size, Crc32.HashToUInt32(stored.Bytes)).ShouldBe(((long)file["size"]!, (uint)file["crc32"]!));
        }

        return listed.Count(key => key.StartsWith(".trestle/checkpoints/step-", StringComparison.Ordinal));
    }

    /// <summary>Creates an object as a user does.</summary>
    public static async Task CreateAsync(LocalPlane plane, JsonObject item) =>
        (await plane.KubectlAsync("create", "-f", plane.Files.Write($"{item["kind"]}-{item["metadata"]!["name"]}.json", item.ToJsonString()))).ShouldExit(0);
}
