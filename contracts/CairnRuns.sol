// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title The order of what members of runs say, and the money of the runs.
/// @notice Thin on purpose. What an operation means is decided by the one set of rules that every node replays (docs/chain.md); here it only gets its place
/// in the order. The contract enforces what money needs: who holds a bond, what a quorum of validators has signed, when it may be claimed.
/// @dev No owner, no upgrade, no call into other contracts but the money's own: coins to whoever asks for his own, or the token that a run was created with. What
/// calls again meanwhile is refused. A token that moves another sum than it was asked to is refused, at every payment; one whose balances change by themselves
/// must not be used.
contract CairnRuns is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// One validator that was named when the run was created.
    struct Voice {
        address account;
        uint64 units; // its part of the quorum: the bond that the ledger knows
    }

    struct Run {
        // One word, which every event reads and writes (record below): these three, in this order.
        uint40 createdBlock;
        uint40 said; // events so far
        bytes22 record; // a digest over all of them, in order: who was not told of one sees that
        uint64 weiPerUnit; // what a unit of the ledger's money is, in the smallest parts of the coin or token
        uint32 disputeBlocks; // how long a settlement can be objected to before anything is paid by it
        uint32 exitBlocks; // how long the bond of who leaves can still be cut
        uint64 epoch; // settlements so far
        uint64 pausedUntil; // block
        uint64 pendingBlock; // block of the settlement that can still be objected to
        uint128 voices; // units of all named validators
        uint128 bonds; // held for members
        uint128 pool; // held for rewards
        uint128 credits; // earned and not yet withdrawn
        uint128 burned; // cut off bonds; stays here for ever
        bytes32 root; // of the settlement that is paid by
        bytes32 pendingRoot;
        address token; // an ERC-20 that bonds and rewards are in; zero for the chain's coin
    }

    struct Member {
        uint128 bond;
        uint128 credit;
        uint128 earned; // what of the settlements was credited so far
        uint128 cut; // what of the settlements was cut so far
        uint64 leftBlock; // 0 while it is there
        uint64 units; // its voice
    }

    uint256 public constant GENESIS_BYTES_MAX = 65_536;
    uint256 public constant OPERATION_BYTES_MAX = 100_000;
    uint256 public constant VALIDATORS_MAX = 64;
    uint256 public constant PAUSE_BLOCKS_MAX = 50_000;

    bytes32 private constant SETTLE = keccak256("cairn/settle");
    bytes32 private constant OBJECT = keccak256("cairn/object");
    bytes32 private constant PAUSE = keccak256("cairn/pause");

    /// The run named by the digest of its genesis.
    mapping(bytes32 run => Run) public runs;
    mapping(bytes32 run => mapping(address account => Member)) public members;

    // The place of an event among all of its run, from 0 on, comes first in each. What is not indexed is hashed into the run's record as it is emitted.
    event RunCreated(bytes32 indexed run, address indexed creator, uint40 place, uint64 weiPerUnit, uint32 disputeBlocks, uint32 exitBlocks, address token, bytes genesis);
    event Posted(bytes32 indexed run, uint40 place, bytes operation);
    event Registered(bytes32 indexed run, address indexed account, uint40 place, uint128 bond, bytes nodeKey, bytes proof);
    event Funded(bytes32 indexed run, address indexed from, uint40 place, uint128 amount);
    event Left(bytes32 indexed run, address indexed account, uint40 place, uint64 bondFreeBlock);
    event BondReturned(bytes32 indexed run, address indexed account, uint40 place, uint128 amount);
    event Settled(bytes32 indexed run, uint64 indexed epoch, uint40 place, bytes32 root, uint64 upToBlock, bytes32 checkpoint);
    event Objected(bytes32 indexed run, uint64 indexed epoch, uint40 place);
    event Claimed(bytes32 indexed run, address indexed account, uint40 place, uint128 earned, uint128 cut);
    event Withdrawn(bytes32 indexed run, address indexed account, uint40 place, uint128 amount);
    event PausedUntil(bytes32 indexed run, uint40 place, uint64 blockNumber);

    error RunExists();
    error NoSuchRun();
    error OutOfRange();
    error NoQuorum();
    error OutOfTurn();
    error Paused();
    error NotInRoot();
    error NothingThere();
    error NotPaid();

    modifier known(bytes32 run) {
        if (runs[run].createdBlock == 0) revert NoSuchRun();
        _;
    }

    modifier unpaused(bytes32 run) {
        if (block.number < runs[run].pausedUntil) revert Paused();
        _;
    }

    // ---- the order

    /// Begins a run. Coins that are sent along are the first of its reward pool, if its money is the coin.
    /// @param genesis What the run begins with (docs/wire.md); the run is named by its SHA-256 under the tag that every node uses.
    /// @param token An ERC-20 that bonds and rewards are in; zero for the chain's coin.
    function createRun(
        bytes calldata genesis,
        uint64 weiPerUnit,
        uint32 disputeBlocks,
        uint32 exitBlocks,
        address token,
        Voice[] calldata validators
    ) external payable returns (bytes32 run) {
        if (genesis.length == 0 || genesis.length > GENESIS_BYTES_MAX || weiPerUnit == 0 || disputeBlocks == 0 || exitBlocks <= disputeBlocks) revert OutOfRange();
        if (validators.length == 0 || validators.length > VALIDATORS_MAX || msg.value > type(uint96).max) revert OutOfRange();
        if (token != address(0) && (msg.value > 0 || token.code.length == 0)) revert OutOfRange();
        run = sha256(abi.encodePacked(uint8(13), "cairn/genesis", genesis));
        Run storage r = runs[run];
        if (r.createdBlock != 0) revert RunExists();
        r.createdBlock = uint40(block.number);
        r.weiPerUnit = weiPerUnit;
        r.disputeBlocks = disputeBlocks;
        r.exitBlocks = exitBlocks;
        r.token = token;
        r.pool = uint128(msg.value);
        uint128 voices;
        for (uint256 i = 0; i < validators.length; ++i) {
            Member storage m = members[run][validators[i].account];
            if (validators[i].units == 0 || m.units != 0) revert OutOfRange();
            m.units = validators[i].units;
            voices += validators[i].units;
        }
        r.voices = voices;
        say(run, RunCreated.selector, msg.sender, abi.encode(r.said, weiPerUnit, disputeBlocks, exitBlocks, token, genesis));
        if (msg.value > 0) say(run, Funded.selector, msg.sender, abi.encode(r.said, uint128(msg.value)));
    }

    /// Puts an operation in order. It carries its author's signature; who sends it does not matter.
    function post(bytes32 run, bytes calldata operation) external known(run) {
        order(run, operation);
    }

    /// Puts the operations of many authors in order at once.
    function postBatch(bytes32 run, bytes[] calldata operations) external known(run) {
        for (uint256 i = 0; i < operations.length; ++i) {
            order(run, operations[i]);
        }
    }

    // ---- bonds

    /// Binds this account to a node key, and adds to its bond: what is sent along, or of a token what this contract is allowed to take.
    /// @param amount What is added.
    /// @param nodeKey 64 bytes of a P-256 point.
    /// @param proof The node key's signature over run and account. It is not verified here: readers take the first registration that proves itself.
    function register(bytes32 run, uint256 amount, bytes calldata nodeKey, bytes calldata proof) external payable known(run) nonReentrant {
        if (nodeKey.length != 64 || proof.length != 64) revert OutOfRange();
        uint128 added = take(run, amount);
        Member storage m = members[run][msg.sender];
        if (m.leftBlock != 0) revert OutOfTurn();
        m.bond += added;
        runs[run].bonds += added;
        say(run, Registered.selector, msg.sender, abi.encode(runs[run].said, m.bond, nodeKey, proof));
    }

    /// Leaves for good: without a voice from now on. The bond can be cut until the delay is over.
    function exit(bytes32 run) external known(run) {
        Member storage m = members[run][msg.sender];
        if (m.leftBlock != 0) revert OutOfTurn();
        m.leftBlock = uint64(block.number);
        say(run, Left.selector, msg.sender, abi.encode(runs[run].said, uint64(block.number) + runs[run].exitBlocks));
    }

    /// Takes the bond back after the delay.
    function takeBond(bytes32 run) external known(run) unpaused(run) nonReentrant {
        Run storage r = runs[run];
        Member storage m = members[run][msg.sender];
        if (m.leftBlock == 0 || block.number < uint256(m.leftBlock) + r.exitBlocks) revert OutOfTurn();
        uint128 amount = m.bond;
        if (amount == 0) revert NothingThere();
        m.bond = 0;
        r.bonds -= amount;
        say(run, BondReturned.selector, msg.sender, abi.encode(r.said, amount));
        pay(r.token, msg.sender, amount);
    }

    // ---- rewards

    /// Adds to the reward pool: what is sent along, or of a token what this contract is allowed to take.
    function fund(bytes32 run, uint256 amount) external payable known(run) nonReentrant {
        if (amount == 0) revert OutOfRange();
        uint128 added = take(run, amount);
        runs[run].pool += added;
        say(run, Funded.selector, msg.sender, abi.encode(runs[run].said, added));
    }

    /// Posts the root over what every account has earned and lost since the run began, signed by two thirds of the voices.
    /// @param upToBlock The root follows from what stands here up to the end of that block: everybody can compute it again.
    /// @param checkpoint Digest of the newest checkpoint there.
    /// @param signatures 65 bytes each, by rising address of their authors.
    function settle(bytes32 run, uint64 epoch, bytes32 root, uint64 upToBlock, bytes32 checkpoint, bytes calldata signatures)
        external
        known(run)
        unpaused(run)
    {
        Run storage r = runs[run];
        promote(r);
        if (epoch != r.epoch + 1 || r.pendingBlock != 0) revert OutOfTurn();
        bytes32 digest = keccak256(abi.encode(SETTLE, block.chainid, address(this), run, epoch, root, upToBlock, checkpoint));
        if (3 * voicesOf(run, digest, signatures) < 2 * uint256(r.voices)) revert NoQuorum();
        r.epoch = epoch;
        r.pendingRoot = root;
        r.pendingBlock = uint64(block.number);
        say(run, Settled.selector, bytes32(uint256(epoch)), abi.encode(r.said, root, upToBlock, checkpoint));
    }

    /// Takes a settlement back within its window, by more than a third of the voices.
    function objectTo(bytes32 run, uint64 epoch, bytes calldata signatures) external known(run) {
        Run storage r = runs[run];
        if (epoch != r.epoch || r.pendingBlock == 0 || block.number >= uint256(r.pendingBlock) + r.disputeBlocks) revert OutOfTurn();
        bytes32 digest = keccak256(abi.encode(OBJECT, block.chainid, address(this), run, epoch, r.pendingRoot));
        if (3 * voicesOf(run, digest, signatures) <= r.voices) revert NoQuorum();
        r.pendingBlock = 0;
        r.pendingRoot = 0;
        say(run, Objected.selector, bytes32(uint256(epoch)), abi.encode(r.said));
    }

    /// Credits an account what the root says it has earned, as far as the pool holds it, and cuts its bond by what the root says it has lost. Anybody may call it
    /// for anybody: an empty pool puts off pay and no cut, or whom nobody has funded nobody could cut. What is put off is claimed again.
    /// @param earned Since the run began, in wei.
    /// @param cut Since the run began, in wei.
    function claim(bytes32 run, address account, uint128 earned, uint128 cut, bytes32[] calldata proof) external known(run) unpaused(run) {
        Run storage r = runs[run];
        promote(r);
        bytes32 node = keccak256(bytes.concat(keccak256(abi.encode(run, account, earned, cut))));
        for (uint256 i = 0; i < proof.length; ++i) {
            node = node < proof[i] ? keccak256(abi.encode(node, proof[i])) : keccak256(abi.encode(proof[i], node));
        }
        if (node != r.root || r.root == 0) revert NotInRoot();
        Member storage m = members[run][account];
        if (earned < m.earned || cut < m.cut) revert NothingThere();
        uint128 due = earned - m.earned;
        if (due > r.pool) due = r.pool;
        if (due == 0 && cut == m.cut) revert NothingThere();
        uint128 lost = cut - m.cut;
        if (lost > m.bond) lost = m.bond;
        m.earned += due;
        m.cut = cut;
        m.bond -= lost;
        r.bonds -= lost;
        r.burned += lost;
        r.pool -= due;
        m.credit += due;
        r.credits += due;
        say(run, Claimed.selector, account, abi.encode(r.said, m.earned, cut));
    }

    /// Pays this account what it was credited.
    function withdraw(bytes32 run) external known(run) unpaused(run) nonReentrant {
        Member storage m = members[run][msg.sender];
        uint128 amount = m.credit;
        if (amount == 0) revert NothingThere();
        m.credit = 0;
        runs[run].credits -= amount;
        say(run, Withdrawn.selector, msg.sender, abi.encode(runs[run].said, amount));
        pay(runs[run].token, msg.sender, amount);
    }

    /// Stops all payments and settlements up to a block, by two thirds of the voices. Ends by itself.
    function pause(bytes32 run, uint64 untilBlock, bytes calldata signatures) external known(run) {
        Run storage r = runs[run];
        if (untilBlock <= r.pausedUntil || untilBlock > block.number + PAUSE_BLOCKS_MAX) revert OutOfRange();
        bytes32 digest = keccak256(abi.encode(PAUSE, block.chainid, address(this), run, untilBlock));
        if (3 * voicesOf(run, digest, signatures) < 2 * uint256(r.voices)) revert NoQuorum();
        r.pausedUntil = untilBlock;
        say(run, PausedUntil.selector, abi.encode(r.said, untilBlock));
    }

    // ---- inside

    function order(bytes32 run, bytes calldata operation) private {
        if (operation.length == 0 || operation.length > OPERATION_BYTES_MAX) revert OutOfRange();
        say(run, Posted.selector, abi.encode(runs[run].said, operation));
    }

    // An event about nobody in particular. Emitted by hand, so that what is hashed is what is emitted.
    function say(bytes32 run, bytes32 name, bytes memory data) private {
        record(run, name, 0, data);
        assembly ("memory-safe") {
            log2(add(data, 32), mload(data), name, run)
        }
    }

    function say(bytes32 run, bytes32 name, address who, bytes memory data) private {
        say(run, name, bytes32(uint256(uint160(who))), data);
    }

    function say(bytes32 run, bytes32 name, bytes32 about, bytes memory data) private {
        record(run, name, about, data);
        assembly ("memory-safe") {
            log3(add(data, 32), mload(data), name, run, about)
        }
    }

    // By hand, for this is what every operation pays for: the record after an event is the first 22 bytes of the hash of
    // record before ‖ name ‖ about ‖ hash of the data.
    function record(bytes32 run, bytes32 name, bytes32 about, bytes memory data) private {
        Run storage r = runs[run];
        assembly ("memory-safe") {
            let word := sload(r.slot) // record, said, createdBlock, from the high end
            let hashed := mload(0x40) // beyond what is used: nothing of it is kept
            mstore(hashed, word)
            mstore(add(hashed, 22), name)
            mstore(add(hashed, 54), about)
            mstore(add(hashed, 86), keccak256(add(data, 32), mload(data)))
            let counted := add(and(word, 0xffffffffffffffffffff), 0x10000000000)
            if shr(80, counted) { revert(0, 0) }
            sstore(r.slot, or(and(keccak256(hashed, 118), not(0xffffffffffffffffffff)), counted))
        }
    }

    // The settlement whose window has passed is the one that is paid by.
    function promote(Run storage r) private {
        if (r.pendingBlock != 0 && block.number >= uint256(r.pendingBlock) + r.disputeBlocks) {
            r.root = r.pendingRoot;
            r.pendingRoot = 0;
            r.pendingBlock = 0;
        }
    }

    // Units of the named validators that are there, hold as much bond as their voice stands for, and have signed.
    function voicesOf(bytes32 run, bytes32 digest, bytes calldata signatures) private view returns (uint256 units) {
        if (signatures.length % 65 != 0 || signatures.length > 65 * VALIDATORS_MAX) revert OutOfRange();
        uint256 weiPerUnit = runs[run].weiPerUnit;
        address last;
        for (uint256 from = 0; from < signatures.length; from += 65) {
            address author = ecrecover(
                digest, uint8(signatures[from + 64]), bytes32(signatures[from:from + 32]), bytes32(signatures[from + 32:from + 64])
            );
            if (author <= last) revert NoQuorum();
            last = author;
            Member storage m = members[run][author];
            if (m.leftBlock == 0 && m.bond >= m.units * weiPerUnit) units += m.units;
        }
    }

    // Comes before whatever is looked at or written: a token is another's contract.
    function take(bytes32 run, uint256 amount) private returns (uint128) {
        address token = runs[run].token;
        if (amount > type(uint96).max) revert OutOfRange();
        if (msg.value != (token == address(0) ? amount : 0)) revert NotPaid();
        if (token != address(0) && amount > 0) {
            uint256 before = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
            if (IERC20(token).balanceOf(address(this)) != before + amount) revert NotPaid();
        }
        return uint128(amount);
    }

    // Comes after everything is written.
    function pay(address token, address to, uint128 amount) private {
        if (token == address(0)) {
            (bool paid,) = to.call{value: amount}("");
            if (!paid) revert NotPaid();
            return;
        }
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        if (IERC20(token).balanceOf(address(this)) + amount != before) revert NotPaid();
    }
}
