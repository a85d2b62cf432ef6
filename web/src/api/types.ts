/** The records of the API, under short names. */
import type { components } from './schema'

type Schemas = components['schemas']
export type Activity = Schemas['Activity']
export type Container = Schemas['Container']
export type ContainerList = Schemas['ContainerList']
export type ContainerStats = Schemas['ContainerStats']
export type Explanation = Schemas['Explanation']
export type Hour = Schemas['Hour']
export type LogLine = Schemas['LogLine']
export type Me = Schemas['Me']
export type Pass = Schemas['Pass']
export type PoolState = Schemas['PoolState']
export type PoolStatus = Schemas['PoolStatus']
export type Problem = Schemas['Problem']
export type Session = Schemas['Session']
export type TypeBody = Schemas['TypeBody']
export type TypeHistory = Schemas['TypeHistory']
export type TypeInfo = Schemas['TypeInfo']
export type TypeStatus = Schemas['TypeStatus']

/** An event; what is in `data` goes by the kind. */
export type Event = Omit<Schemas['Event'], 'data'> & { data: Record<string, unknown> }
