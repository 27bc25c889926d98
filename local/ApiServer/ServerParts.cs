namespace Trestle.Local.ApiServer;

/// <summary>The pieces of a running server, put together in one place.</summary>
internal sealed class ServerParts
{
    public ServerParts(ObjectStore store, ApiServerOptions options, string adminToken, byte[] signingKey, Func<string> address, CancellationToken stopping)
    {
        Time = options.TimeProvider;
        Store = store;
        Catalog = new ResourceCatalog(BuiltInResources.All());
        foreach (var resource in Catalog.All) store.Declare(resource.StorageKey);
        Writer = new ObjectWriter(store, Time);
        Writer.Written = (resource, stored) => resource.StorageKey == CustomKinds.Resource ? CustomKinds.EstablishAsync(resource, stored, this) : Task.CompletedTask;
        Remover = new ObjectRemover(store, Time);
        var policy = new AccessPolicy(options.PolicyFile);
        var tokens = new ServiceAccountTokens(signingKey, store, Time);
        Authenticator = new Authenticator(adminToken, tokens);
        Authorizer = new Authorizer(policy);
        Reads = new ReadHandler(store, Time);
        Watches = new WatchHandler(store, Time, stopping);
        Changes = new ChangeHandler(store, Writer, Remover, Time);
        Scales = new ScaleHandler(store, Writer);
        Pods = new PodHandler(store, Remover, new PodLogs(options.StateDirectory, store, Time, stopping), Time);
        Tokens = new TokenHandler(store, tokens);
        Reviews = new ReviewHandler(Authenticator, policy, Time);
        Discovery = new DiscoveryHandler(Catalog, address);
        OpenApi = new OpenApiHandler(Catalog, store);
    }

    public TimeProvider Time { get; }
    public ObjectStore Store { get; }
    public ResourceCatalog Catalog { get; }
    public ObjectWriter Writer { get; }
    public ObjectRemover Remover { get; }
    public Authenticator Authenticator { get; }
    public Authorizer Authorizer { get; }
    public ReadHandler Reads { get; }
    public WatchHandler Watches { get; }
    public ChangeHandler Changes { get; }
    public ScaleHandler Scales { get; }
    public PodHandler Pods { get; }
    public TokenHandler Tokens { get; }
    public ReviewHandler Reviews { get; }
    public DiscoveryHandler Discovery { get; }
    public OpenApiHandler OpenApi { get; }
}
