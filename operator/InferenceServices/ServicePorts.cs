namespace Trestle.Operator.InferenceServices;

/// <summary>Ports of the parts of a service.</summary>
internal static class ServicePorts
{
    /// <summary>The engine, for the filter beside it alone.</summary>
    public const int Engine = 8000;

    /// <summary>Where nodes of one replica meet.</summary>
    public const int Rendezvous = 29501;

    /// <summary>The filter: what clients may ask.</summary>
    public const int Filter = 8080;

    /// <summary>The filter: what the gateway alone may ask.</summary>
    public const int Control = 8081;

    /// <summary>The gateway: clients.</summary>
    public const int Public = 8000;

    /// <summary>The gateway: the trainer.</summary>
    public const int Weights = 8001;

    /// <summary>The gateway: its health and metrics.</summary>
    public const int Health = 9090;
}
