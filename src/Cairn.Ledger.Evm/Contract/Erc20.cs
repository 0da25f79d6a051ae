namespace Cairn.Ledger.Evm;

/// <summary>The calls of a token (ERC-20) that an account needs to stake it.</summary>
public static class Erc20
{
    /// <summary>Lets another take of the sender's token.</summary>
    /// <param name="spender">Who.</param>
    /// <param name="amount">Up to how much, in its smallest parts.</param>
    public static byte[] Approve(EvmAddress spender, UInt128 amount) => new AbiWriter().Address(spender).Number(amount).Call("approve(address,uint256)");

    /// <summary>Asks how much another may still take.</summary>
    /// <param name="owner">Of whom.</param>
    /// <param name="spender">Who.</param>
    public static byte[] AllowanceQuestion(EvmAddress owner, EvmAddress spender) => new AbiWriter().Address(owner).Address(spender).Call("allowance(address,address)");

    /// <summary>Asks how much an account has.</summary>
    /// <param name="owner">Which.</param>
    public static byte[] BalanceQuestion(EvmAddress owner) => new AbiWriter().Address(owner).Call("balanceOf(address)");

    /// <summary>Reads the answer to a question; null if it is none.</summary>
    /// <param name="answer">What the token says: 32 bytes. What is 2¹²⁸ or more, as an endless allowance, is the largest number below.</param>
    public static UInt128? ReadAmount(byte[] answer)
    {
        if (answer.Length != AbiWriter.WordSize)
        {
            return null;
        }

        return answer.AsSpan(0, AbiWriter.WordSize / 2).ContainsAnyExcept((byte)0) ? UInt128.MaxValue : new AbiReader(answer).Number();
    }
}
