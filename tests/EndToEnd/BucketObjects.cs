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

    /// <summary>Creates an object as a user does.</summary>
    public static async Task CreateAsync(LocalPlane plane, JsonObject item) =>
        (await plane.KubectlAsync("create", "-f", plane.Files.Write($"{item["kind"]}-{item["metadata"]!["name"]}.json", item.ToJsonString()))).ShouldExit(0);
}
