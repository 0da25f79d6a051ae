using System.Net;
using System.Net.Sockets;

namespace Cairn.Exchange;

/// <summary>Which hosts a stranger may have a node connect to.</summary>
public static class PublicHosts
{
    /// <summary>Whether a stranger may have us connect there.</summary>
    /// <param name="address">Resolved from a name, or given.</param>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast
            || address.Equals(IPAddress.IPv6Any))
        {
            return false;
        }

        if (address.AddressFamily != AddressFamily.InterNetwork)
        {
            // 64:ff9b::/96 and 2002::/16 lead on to IPv4 addresses of any kind.
            var six = address.GetAddressBytes();
            return !(six[0] == 0x20 && six[1] == 0x02) && !(six[0] == 0 && six[1] == 0x64 && six[2] == 0xFF && six[3] == 0x9B);
        }

        var four = address.GetAddressBytes();
        return (four[0], four[1]) switch
        {
            (0 or 10 or 127, _) or ( >= 224, _) => false,
            (100, >= 64 and <= 127) => false, // shared by the customers of one provider
            (169, 254) or (192, 168) => false,
            (172, >= 16 and <= 31) => false,
            (198, 18 or 19) => false,
            (168, 63) => address.ToString() != "168.63.129.16", // a provider's own services
            _ => true,
        };
    }
}
