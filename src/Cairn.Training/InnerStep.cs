using Cairn.Base;

namespace Cairn.Training;

/// <summary>What one inner step told.</summary>
/// <param name="Index">Within the round, from 0.</param>
/// <param name="Loss">Mean loss of its batch in nats per token, before the step.</param>
/// <param name="GradientNorm">Before clipping; not finite if the step was left out.</param>
/// <param name="LearningRate">Of this step.</param>
public readonly record struct InnerStep(int Index, double Loss, double GradientNorm, double LearningRate);

/// <summary>What a run of inner steps told.</summary>
/// <param name="Losses">Mean loss of every step taken, in order, in nats per token.</param>
/// <param name="Completed">All steps asked for were taken; false after a stop.</param>
/// <param name="Skipped">Steps left out because their gradient was not finite; they count as taken.</param>
/// <param name="Trace">Names the losses bit for bit: what a replay must find again.</param>
public sealed record InnerLoopResult(double[] Losses, bool Completed, int Skipped, Digest Trace);
