// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title An account that asks again while it is being paid. For tests alone.
contract Thief {
    address private immutable target;
    bytes private again;
    uint256 public paid;
    uint256 public refused;

    constructor(address from) {
        target = from;
    }

    /// Calls the target, and remembers what to call again on being paid.
    function steal(bytes calldata first, bytes calldata then) external payable {
        again = then;
        (bool done, bytes memory answer) = target.call{value: msg.value}(first);
        if (!done) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    /// Lets another take of a token of this account.
    function allow(address token, address spender, uint256 amount) external {
        (bool done,) = token.call(abi.encodeWithSignature("approve(address,uint256)", spender, amount));
        require(done);
    }

    receive() external payable {
        ++paid;
        (bool done,) = target.call(again);
        if (!done) ++refused;
    }
}
