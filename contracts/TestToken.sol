// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tokens as they are met: one that does what ERC-20 says, and others that do not. For tests alone.
contract TestToken {
    enum Kind {
        Proper,
        SaysNothing, // returns no word, as some old ones
        SaysNo, // returns false, and moves nothing
        TakesFee, // a hundredth of what is moved is gone
        CallsBack // tells the sender before, and the receiver after it moved
    }

    Kind private immutable kind;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;

    constructor(Kind one) {
        kind = one;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        // As the strictest do: from one sum to another only by way of none.
        require(amount == 0 || allowance[msg.sender][spender] == 0, "not from one sum to another");
        allowance[msg.sender][spender] = amount;
        answer(true);
    }

    function transfer(address to, uint256 amount) external {
        move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) private {
        if (kind == Kind.SaysNo) answer(false);
        if (kind == Kind.CallsBack) tell(from);
        balanceOf[from] -= amount;
        balanceOf[to] += kind == Kind.TakesFee ? amount - amount / 100 : amount;
        if (kind == Kind.CallsBack) tell(to);
        answer(true);
    }

    // A thief listens by being paid nothing.
    function tell(address whom) private {
        (bool heard,) = whom.call("");
        heard;
    }

    // Ends the call.
    function answer(bool yes) private view {
        if (kind == Kind.SaysNothing) {
            assembly {
                return(0, 0)
            }
        }
        assembly {
            mstore(0, yes)
            return(0, 32)
        }
    }
}
