// Takes and completes jobs of a BullMQ queue that is kept full, and prints how many a second.
//
// node bullmq.cjs MODULE PORT IN_FLIGHT MILLISECONDS

const [modulePath, port, inFlight, milliseconds] = process.argv.slice(2);
const { Queue, Worker } = require(modulePath);

const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const JOBS = 20000;

async function main() {
    const queue = new Queue("containers", { connection, defaultJobOptions: { removeOnComplete: true } });
    const worker = new Worker("containers", null, { connection, autorun: false, skipStalledCheck: true });
    await worker.waitUntilReady();
    const fill = () => queue.addBulk(Array.from({ length: JOBS }, (_, number) => ({ name: "wine", data: { number } })));
    let elapsed = 0;
    let done = 0;
    while (elapsed < Number(milliseconds)) {
        await fill();
        const began = performance.now();
        await Promise.all(Array.from({ length: Number(inFlight) }, async (_, lane) => {
            const token = `lane-${lane}`;
            for (;;) {
                const job = await worker.getNextJob(token, { block: false });
                if (!job) return;
                await job.moveToCompleted("", token, false);
                done += 1;
            }
        }));
        elapsed += performance.now() - began;
    }
    console.log(((1000 * done) / elapsed).toFixed(1));
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
