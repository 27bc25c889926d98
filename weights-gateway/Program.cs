namespace Trestle.WeightsGateway;

internal static class Program
{
    private static int Main() => 2;
}
